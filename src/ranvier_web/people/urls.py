"""Addresses of accounts. Each needs its line in `policy.py` beside it."""

from __future__ import annotations

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path

from ranvier_web.people import views

urlpatterns = [
    path("alive", views.alive, name="alive"),
    path("", views.home, name="home"),
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path("account/language/", views.language, name="account_language"),
    path("account/again/", allauth.reauthenticate, name="account_reauthenticate"),
    path("account/again/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/password/", allauth.password_change, name="account_change_password"),
    path("account/second-factor/", mfa.index, name="mfa_index"),
    path("account/second-factor/begin/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/second-factor/end/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/second-factor/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/second-factor/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("invitation/<uuid:invitation>/<str:secret>/", views.invitation, name="invitation"),
    path("people/", views.accounts, name="accounts"),
    path("people/new/", views.account_new, name="account_new"),
    path("people/<int:account>/switch/", views.account_switch, name="account_switch"),
    path("people/patients/", views.patients_known, name="patients_known"),
    path("patients/<uuid:patient>/invite/", views.patient_invite, name="patient_invite"),
    path("people/audit/", views.audit_log, name="audit_log"),
    path("people/glass/", views.glass_log, name="glass_log"),
    path("patients/<uuid:patient>/break-glass/", views.break_glass, name="break_glass"),
]

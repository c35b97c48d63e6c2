"""Who may open the pages of the app `people`."""

from __future__ import annotations

from ranvier_web.people.rules import ADMINISTRATOR, NEUROLOGIST, NURSE, PHARMACIST, Rule, account, patient, public, site

RULES: dict[str, Rule] = {
    "alive": public(),
    "account_login": public(),
    "mfa_authenticate": public(),  # the second step of signing in
    "invitation": public(),
    "home": account(),
    "account_logout": account(),
    "account_language": account(),
    "account_reauthenticate": account(),
    "account_change_password": account(),
    "mfa_index": account(),
    "mfa_activate_totp": account(),
    "mfa_deactivate_totp": account(),
    "mfa_reauthenticate": account(),
    "mfa_view_recovery_codes": account(),
    "mfa_generate_recovery_codes": account(),
    "mfa_download_recovery_codes": account(),
    "accounts": site(ADMINISTRATOR),
    "account_new": site(ADMINISTRATOR),
    "account_switch": site(ADMINISTRATOR),
    "patients_known": site(ADMINISTRATOR),
    "patient_invite": patient(ADMINISTRATOR),
    "audit_log": site(ADMINISTRATOR),
    "glass_log": site(ADMINISTRATOR),
    "break_glass": patient(NEUROLOGIST, NURSE, PHARMACIST),
}

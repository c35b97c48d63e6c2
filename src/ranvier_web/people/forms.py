"""Forms of accounts."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.http import HttpRequest, HttpResponse

from ranvier_web.people.middleware import KEEP
from ranvier_web.people.models import Role
from ranvier_web.words.load import say


class SignIn(LoginForm):  # type: ignore[misc]
    """Name and password; and whether this device is the patient's own, which does nothing for anybody else."""

    keep = forms.BooleanField(required=False)

    def login(self, request: HttpRequest, redirect_url: Any = None) -> HttpResponse:
        """Remember the answer in the session that begins."""
        request.session[KEEP] = self.cleaned_data["keep"]
        response: HttpResponse = super().login(request, redirect_url)
        return response


class Password(forms.Form):
    """A new password, twice."""

    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    again = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean(self) -> dict[str, str]:
        """Both the same."""
        data = super().clean() or {}
        if data.get("password") != data.get("again"):
            self.add_error("again", say("people.passwords_differ"))
        return data


class Account(forms.Form):
    """Somebody new."""

    username = forms.SlugField(max_length=60)
    first_name = forms.CharField(max_length=80, required=False)
    last_name = forms.CharField(max_length=80, required=False)
    role = forms.ChoiceField(
        choices=lambda: [(r.value, say(f"site.role_{r.value}")) for r in Role if r is not Role.PATIENT]
    )


class PatientAccount(forms.Form):
    """The user name of a patient."""

    username = forms.SlugField(max_length=60)


class Reason(forms.Form):
    """Why a closed record is opened."""

    reason = forms.CharField(min_length=10, max_length=400, widget=forms.Textarea(attrs={"rows": 3}))

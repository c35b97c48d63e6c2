"""Who may open the pages of the app `connect`."""

from __future__ import annotations

from ranvier_web.people.rules import Rule

RULES: dict[str, Rule] = {}

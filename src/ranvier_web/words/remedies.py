"""What to do about a problem, said for a page: the rooms below speak of files and commands, and here there are neither."""

from __future__ import annotations

import re

from ranvier_web.words.load import say

_RULES = (
    (re.compile(r"before: \{kind|Write kind: |Add \w+, or write kind: "), "remedies.before"),
    (re.compile(r"Move it to igg: "), "remedies.igg"),
    (re.compile(r"timezone: "), "remedies.zone"),
    (re.compile(r"--into"), "remedies.person"),
    (re.compile(r"leave_out"), "remedies.leave_out"),
    (re.compile(r"what it holds: --answer"), "remedies.column"),
    (re.compile(r"--answer"), "remedies.columns"),
    (re.compile(r"`ranvier localise --muscles`"), "remedies.muscle"),
    (re.compile(r"`ranvier decide --help`"), "remedies.reason"),
    (re.compile(r"`ranvier decide --print`"), "remedies.decision"),
    (re.compile(r"`ranvier import`"), "remedies.file"),
    (re.compile(r"`ranvier schema record`"), "remedies.form"),
    (re.compile(r"\{muscle: "), "remedies.grades"),
    (re.compile(r"tries: \["), "remedies.tries"),
)
_ANSWERS = re.compile(r"--answer '([^'=]+)=([^']*)'")
COMMAND = re.compile(r"--[a-z]|`ranvier|: \{")


def here(remedy: str) -> str:
    """The remedy for somebody who sits before a page; as it stands where it speaks of neither files nor commands."""
    for pattern, word in _RULES:
        if pattern.search(remedy):
            return say(word)
    return remedy


def answers(remedy: str) -> list[tuple[str, str]]:
    """What a remedy asks to be answered: key and example."""
    return _ANSWERS.findall(remedy)

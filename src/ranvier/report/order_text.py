"""The answer to an order, on the screen: the answer first, 80 columns, what to do before the reasons."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from ranvier.evidence.nouns import Knowledge
from ranvier.protection.nouns import Alert, OrderCheck
from ranvier.report.words import Words

WIDTH = 80


def render(check: OrderCheck, knowledge: Knowledge, language: str = "en") -> str:
    """The whole answer as text."""
    words = Words(knowledge, language)
    lines: list[str] = []
    if check.question is not None:
        lines += filled(words.text("orders", "question", because=check.question.because))
        lines += filled(check.question.ask)
        if check.question.choices:
            lines += filled(words.text("orders", "choices", choices=", ".join(check.question.choices)))
        return "\n".join(lines) + "\n"
    assert check.drug is not None
    name = check.drug.name if check.drug.atc is None else f"{check.drug.name} ({check.drug.atc})"
    if not check.alerts:
        lines += filled(words.text("orders", "none", drug=name))
    else:
        key = "one" if len(check.alerts) == 1 else "several"
        tier = words.text("orders", check.alerts[0].tier)
        lines += filled(words.text("orders", key, n=len(check.alerts), drug=name, tier=tier))
    if check.drug.was:
        lines += filled(words.text("orders", "old_code", was=check.drug.was, atc=check.drug.atc))
    lines += [line for text in check.quiet for line in filled(f"({text})")]
    for alert in check.alerts:
        lines += ["", *_alert(alert, words)]
    if check.unknown:
        lines += ["", *filled(words.text("orders", "unknown", unknown="; ".join(check.unknown)))]
    if check.sources:
        lines += ["", words.text("orders", "sources")]
        for id in check.sources:
            lines += filled(f"[{id}] {knowledge.sources[id].citation}", "  ", "      ")
    return "\n".join(lines) + "\n"


def _alert(alert: Alert, words: Words) -> list[str]:
    lines = filled(f"[{alert.tier}] {words.known(alert.summary)}", "", "    ")
    lines += filled(words.text("orders", "do", do=alert.do), "    ")
    if alert.instead != alert.do:
        lines += filled(words.text("orders", "instead", instead=alert.instead), "    ")
    lines += filled(words.text("orders", "reason", why=alert.why), "    ")
    lines += [line for finding in alert.because for line in filled(words.say(finding), "    - ", "      ")]
    own = words.known(alert.do_not_stop)
    stop = own if alert.taken else words.text("orders", "already", stop=_lowered(own, words))
    lines += filled(stop, "    ")
    if alert.unless:
        lines += filled(words.text("orders", "unless"), "    ")
        lines += [line for text in alert.unless for line in filled(text, "    - ", "      ")]
    for one in alert.support:
        level = words.text("orders", "certainty", level=one.certainty)
        against = f"; {words.text('orders', 'contra', sources=', '.join(one.against))}" if one.against else ""
        lines += filled(f"{words.known(one.says)} ({level}: {', '.join(one.supports)}{against})", "    * ", "      ")
    for what in alert.unverified:
        lines += filled(words.text("orders", "unverified", what=what), "    * ", "      ")
    return lines


def _lowered(sentence: str, words: Words) -> str:
    """A sentence that says itself when it holds is not told so twice."""
    rest = sentence.removeprefix(words.text("orders", "already_begins"))
    return rest[:1].lower() + rest[1:]


def filled(text: str, indent: str = "", hang: str | None = None) -> list[str]:
    """`text` in lines of 80 columns; no control character reaches the screen."""
    safe = "".join(c if c.isprintable() else " " for c in text.replace("\N{NARROW NO-BREAK SPACE}", " "))
    hang = " " * len(indent) if hang is None else hang
    return textwrap.wrap(safe, WIDTH, initial_indent=indent, subsequent_indent=hang, break_on_hyphens=False)


def bulleted(texts: Iterable[str], mark: str = "  - ") -> list[str]:
    """One line or more for each text, behind a mark."""
    return [line for text in texts for line in filled(text, mark)]

"""Alerts as cards of CDS Hooks 2.0. No member is ever null or empty; a summary has less than 140 characters."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ranvier.decision.ordering import Judged
from ranvier.evidence.nouns import Knowledge
from ranvier.exchange.cds.drafts import Draft
from ranvier.exchange.cds.services import override_codings, text
from ranvier.protection.nouns import Alert
from ranvier.report.words import Words

Json = dict[str, Any]
SUMMARY = 139  # characters: "less than 140"
INDICATORS: Mapping[str, str] = {"danger": "critical", "warning": "warning", "information": "info"}
_NAMESPACE = uuid.UUID(
    "6f3a1f0e-6a52-4f3b-9a53-9e6a5f2d7c11"
)  # of our cards: the same alert of the same call, the same uuid
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def order_cards(
    draft: Draft, judged: Judged, instance: str, knowledge: Knowledge, link: Json | None = None, left: int = 0
) -> list[Json]:
    """The cards of one draft order, the loudest first; none if there is nothing to say.

    instance : of the hook; together with order and alert it makes the card's uuid
    link : to the person's page here; left : how many things that were sent ahead could not be used
    """
    words = Words(knowledge, "en")
    found = []
    for alert in judged.check.alerts:
        body = [_alert(alert, words), _evidence(alert.sources, alert.unverified, knowledge)]
        found.append(
            _order_card(
                draft, alert.id, alert.summary, INDICATORS[alert.tier], body, alert.sources, instance, knowledge
            )
        )
    if judged.limits:
        found.append(_limits(draft, judged, words, instance, knowledge))
    question = judged.check.question
    if question is not None and not draft.order.codes and question.choices:
        body = [plain(question.ask), plain(", ".join(question.choices))]
        summary = text("unclear", drug=draft.name)
        found.append(_order_card(draft, "unclear", summary, "info", body, (), instance, knowledge))
    for one in found:
        if left:
            one["detail"] += "\n\n" + text("left", n=left)
        if link:
            one["links"] = [link]
    return found


def card(
    key: str,
    summary: str,
    indicator: str,
    detail: Sequence[str],
    instance: str,
    *,
    source: str | None = None,
    link: Json | None = None,
) -> Json:
    """One card without suggestions. key : what it is about; summary is cut between words where it is too long.

    Raises
    ------
    ValueError : an indicator that CDS Hooks does not know
    """
    if indicator not in INDICATORS.values():
        raise ValueError(f"{indicator!r} is no indicator; use one of {', '.join(INDICATORS.values())}")
    body = "\n\n".join(part for part in (*detail, f"*{text('supports')}*") if part)
    made: Json = {
        "uuid": str(uuid.uuid5(_NAMESPACE, f"{instance}|{key}")),
        "summary": short(summary),
        "indicator": indicator,
        "detail": body,
        "source": {"label": source or text("own_label")},
    }
    if link:
        made["links"] = [link]
    return made


def short(sentence: str) -> str:
    """The sentence in less than 140 characters, cut after a whole word where it is longer."""
    one = " ".join(sentence.split())
    if len(one) <= SUMMARY:
        return one
    return one[: SUMMARY - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def plain(words: str) -> str:
    """Text that Markdown shows as it is: what a client sent cannot become a link or a picture."""
    return _MARKUP.sub(r"\\\1", " ".join(words.split()))


def _order_card(
    draft: Draft,
    key: str,
    summary: str,
    indicator: str,
    detail: Sequence[str],
    sources: Sequence[str],
    instance: str,
    knowledge: Knowledge,
) -> Json:
    titles = "; ".join(knowledge.sources[id].citation for id in sources[:1])
    label = text("label", titles=titles) if titles else None
    made = card(f"{draft.reference}|{key}", summary, indicator, detail, instance, source=label)
    if indicator in ("critical", "warning"):
        made["overrideReasons"] = override_codings()
        if "/" in draft.reference:
            action = {
                "type": "delete",
                "description": text("cancel_how", drug=draft.name),
                "resourceId": draft.reference,
            }
            made["suggestions"] = [
                {
                    "label": text("cancel"),
                    "uuid": str(uuid.uuid5(_NAMESPACE, f"{instance}|{draft.reference}|{key}|cancel")),
                    "actions": [action],
                }
            ]
            made["selectionBehavior"] = "at-most-one"
    return made


def _limits(draft: Draft, judged: Judged, words: Words, instance: str, knowledge: Knowledge) -> Json:
    findings = judged.limits
    said = [words.say(finding) for finding in findings]
    absolute = any(finding.name == "limit.absolute" for finding in findings)
    summary = text("limits_one", what=said[0]) if len(said) == 1 else text("limits", n=len(said))
    sources = tuple(dict.fromkeys(f.source for f in findings if f.source is not None))
    loose = tuple(f.facts.get("limit", f.name) for f in findings if f.status not in ("read", "computed", None))
    body = ["\n".join(f"- {plain(one)}" for one in said), _evidence(sources, [str(one) for one in loose], knowledge)]
    return _order_card(
        draft, "limits", summary, "critical" if absolute else "warning", body, sources, instance, knowledge
    )


def _alert(alert: Alert, words: Words) -> str:
    parts = [f"**{text('do')}.** {plain(alert.do)}"]
    if alert.instead and alert.instead != alert.do:
        parts.append(f"**{text('instead')}.** {plain(alert.instead)}")
    parts.append(f"**{text('why')}.** {plain(alert.why)}")
    if alert.because:
        parts.append(f"**{text('because')}.** " + " ".join(plain(words.say(f)) for f in alert.because))
    if alert.unless:
        parts.append(f"**{text('unless')}:**\n" + "\n".join(f"- {plain(one)}" for one in alert.unless))
    parts.append(f"**{plain(alert.do_not_stop)}**")
    return "\n\n".join(parts)


def _evidence(sources: Sequence[str], unverified: Sequence[str], knowledge: Knowledge) -> str:
    parts = []
    if sources:
        listed = "\n".join(f"- {plain(knowledge.sources[id].citation)}" for id in sources)
        parts.append(f"**{text('evidence')}:**\n{listed}")
    if unverified:
        parts.append(f"{text('unverified')}: {plain(', '.join(unverified))}.")
    return "\n\n".join(parts)

"""What became of a card, as the client tells it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ranvier.exchange.cds.request import CallError
from ranvier.ground.notes import Problem

LONGEST = 2_000  # letters of a comment


@dataclass(frozen=True, slots=True)
class Reaction:
    """One answer to one card. outcome : accepted or overridden; reason : code of why not; at : as the client's clock had it."""

    card: str
    outcome: str
    suggestions: tuple[str, ...]
    reason: str | None
    comment: str | None
    at: datetime


def read_feedback(raw: Any) -> tuple[Reaction, ...]:
    """All reactions of one call; if one is wrong, none is taken.

    Raises
    ------
    CallError : 400, with each place and remedy
    """
    listed = raw.get("feedback") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list) or not listed or len(listed) > 1000:
        raise CallError(400, (Problem("feedback", "it is no list of 1 to 1000 reactions", "Send feedback: [...]."),))
    problems: list[Problem] = []
    found = []
    for number, one in enumerate(listed):
        place = f"feedback[{number}]"
        if not isinstance(one, Mapping):
            problems.append(Problem(place, "it is no object", "Send card, outcome and outcomeTimestamp."))
            continue
        found.append(_one(one, place, problems))
    if problems:
        raise CallError(400, tuple(problems))
    return tuple(one for one in found if one is not None)


def _one(one: Mapping[str, Any], place: str, problems: list[Problem]) -> Reaction | None:
    before = len(problems)
    card, outcome = one.get("card"), one.get("outcome")
    if not isinstance(card, str) or not _uuid(card):
        problems.append(Problem(f"{place}.card", "it is no UUID of a card", "Send the uuid of the card."))
    if outcome not in ("accepted", "overridden"):
        what = "it is neither accepted nor overridden"
        problems.append(Problem(f"{place}.outcome", what, "Send one of them; nothing for a card that was ignored."))
    at = _moment(one.get("outcomeTimestamp"))
    if at is None:
        what = "it is no instant with its offset from UTC"
        problems.append(Problem(f"{place}.outcomeTimestamp", what, "Send it as 2026-11-30T10:15:00Z."))
    taken = one.get("acceptedSuggestions") or []
    ids = [s.get("id") for s in taken if isinstance(s, Mapping)] if isinstance(taken, list) else [None]
    if not all(isinstance(i, str) and _uuid(i) for i in ids) or (outcome == "accepted" and not ids):
        what = "each accepted suggestion is named by its uuid, and accepted needs at least one"
        problems.append(Problem(f"{place}.acceptedSuggestions", what, "Send [{'id': uuid}]."))
    why = one.get("overrideReason")
    reason = why.get("reason") if isinstance(why, Mapping) else None
    code = reason.get("code") if isinstance(reason, Mapping) else None
    comment = why.get("userComment") if isinstance(why, Mapping) else None
    if why is not None and not isinstance(why, Mapping):
        problems.append(Problem(f"{place}.overrideReason", "it is no object", "Send reason and userComment."))
    if any(v is not None and (not isinstance(v, str) or len(v) > LONGEST) for v in (code, comment)):
        what = f"code and comment are texts of at most {LONGEST} letters"
        problems.append(Problem(f"{place}.overrideReason", what, "Shorten it."))
    if len(problems) > before or at is None:
        return None
    return Reaction(str(card), str(outcome), tuple(str(i) for i in ids), code, comment, at)


def _uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None

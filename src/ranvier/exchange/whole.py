"""Parts of one record into another: what is there stays, what is new is added, what contradicts is listed and not added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ranvier.exchange.merge import Merge
from ranvier.ground.notes import Problem, Severity

_LISTS = {
    "conditions": "condition",
    "investigations": "finding",
    "allergies": "allergy",
    "immunisations": "vaccine",
    "adverse_events": "adverse event",
    "safety_checks": "safety check",
    "events": "event",
    "decisions": "decision",
    "examinations": "examination",
    "conduction_studies": "nerve study",
    "imaging": "image",
}
_SERIES = ("measure", "side", "device", "unit", "muscle", "variant", "place")


def add_rest(merge: Merge, rest: Mapping[str, Any], where: str) -> None:
    """Everything of `rest` (a record's parts in the file format) that `merge` has no facts for. where : named in problems"""
    record, count = merge.record, merge.merged
    for key, value in rest.items():
        if key == "strength":
            for series in value:
                _series(merge, series, where)
        elif key in ("person", "goals", "history", "before"):
            _group(merge, key, value, where)
        elif isinstance(value, list):
            name = _LISTS.get(key, key.replace("_", " "))
            there = {_text(e) for e in record.setdefault(key, [])}
            for entry in value:
                if _text(entry) in there:
                    count.already[name] += 1
                else:
                    record[key].append(entry)
                    count.added[name] += 1
        elif record.get(key) in (None, value):
            if key not in record:
                record[key] = value
        else:
            _conflict(merge, where, f"{key} {value}", str(record[key]))


def _text(value: Any) -> str:
    """One text for one thing, whatever the order of its keys and the form of its numbers."""

    def plain(x: Any) -> Any:
        if isinstance(x, Mapping):
            return {str(k): plain(v) for k, v in x.items() if v is not None}
        if isinstance(x, list):
            return [plain(v) for v in x]
        if isinstance(x, Decimal | int | float) and not isinstance(x, bool):
            return f"{float(x):.9g}"
        return x

    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False)


def _conflict(merge: Merge, where: str, new: str, there: str) -> None:
    what = f"{new[:200]}, yet the record has {there[:200]}"
    remedy = "Not added; the record stays as it is. Mend the record by hand if the new one is right."
    merge.merged.conflicts.append(Problem(where, what, remedy, Severity.LOOK))


def _group(merge: Merge, key: str, value: Mapping[str, Any], where: str) -> None:
    """A group of keys: what is missing is filled, lists gain what they lack."""
    record, count = merge.record, merge.merged
    there = record.setdefault(key, {})
    if key == "before":
        if there.get("kind", "unknown") == "unknown":
            if value.get("kind") != "unknown" or not there:
                count.added["person"] += value.get("kind") != "unknown"
                record[key] = dict(value)
        elif _text(there) != _text(value) and value.get("kind") != "unknown":
            _conflict(merge, where, f"before: {_text(value)}", _text(there))
        return
    for name, one in value.items():
        if isinstance(one, list) and name not in ("routes",):
            known = {_text(e) for e in there.get(name, ())}
            for entry in one:
                if _text(entry) in known:
                    count.already["finding"] += 1
                else:
                    there.setdefault(name, []).append(entry)
                    count.added["finding" if key == "history" else "person"] += 1
        elif there.get(name) is None:
            there[name] = one
            if name != "pseudonym":
                count.added["person"] += 1
        elif _text(there[name]) != _text(one) and name != "pseudonym":
            _conflict(merge, where, f"{key}.{name} {_text(one)}", _text(there[name]))


def _series(merge: Merge, new: Mapping[str, Any], where: str) -> None:
    """A series into the one it continues, or as a new one."""
    every: list[dict[str, Any]] = merge.record.setdefault("strength", [])
    alike = [s for s in every if all(s.get(k) == new.get(k) for k in _SERIES)]
    same = next((s for s in alike if s.get("id") == new.get("id")), alike[0] if len(alike) == 1 else None)
    if same is None:
        names = {str(s.get("id")) for s in every}
        name = str(new["id"])
        free = name if name not in names else next(n for i in range(2, 999) if (n := f"{name[:55]}-{i}") not in names)
        every.append({**new, "id": free})
        merge.merged.added["strength"] += len(new["values"])
        return
    there: dict[object, list[str]] = {}
    for row in same["values"]:
        at, value = _row(row)
        there.setdefault(merge.moment(at), []).append(value)
    left = {at: list(found) for at, found in there.items()}
    for row in new["values"]:
        at, value = _row(row)
        moment = merge.moment(at)
        if value in left.get(moment, []):
            left[moment].remove(value)
            merge.merged.already["strength"] += 1
        elif moment in there:
            shown = ", ".join(there[moment])
            _conflict(merge, where, f"{same.get('id')} {value} {same['unit']} at {at}", shown)
        else:
            same["values"].append(row)
            merge.merged.added["strength"] += 1


def _row(row: Mapping[str, Any] | Sequence[Any]) -> tuple[str, str]:
    at, value = (row["at"], row["value"]) if isinstance(row, Mapping) else (row[0], row[1])
    return str(at), f"{float(value):.9g}"

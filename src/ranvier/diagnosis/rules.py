"""Named findings combined by all_of, any_of, at_least and not, in three values, with the tree of reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ranvier.diagnosis.nouns import Rule
from ranvier.ground.findings import Finding
from ranvier.ground.truth import Truth, at_least

Judged = tuple[Truth, Finding]

OPPOSITE = {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}


def judge(rule: Rule, look_up: Callable[[str], Judged]) -> Judged:
    """Whether `rule` is met, and why.

    Parameters
    ----------
    rule : a name, or a mapping with exactly one of all_of, any_of, at_least {n, of}, not
    look_up : truth and finding of a name
    """
    if isinstance(rule, str):
        return look_up(rule)
    kind, parts, n = taken_apart(rule)
    below = [judge(part, look_up) for part in parts]
    truths = [truth for truth, _ in below]
    truth = OPPOSITE[truths[0]] if kind == "not" else at_least(n, truths)
    facts = {"value": truth.value} | ({"n": n} if kind == "at_least" else {})
    return truth, Finding(f"diagnosis.{kind}", facts, tuple(finding for _, finding in below))


def truth_of(rule: Rule, truths: Mapping[str, Truth]) -> Truth:
    """As `judge`, without reasons: for the many what-ifs."""
    if isinstance(rule, str):
        return truths[rule]
    kind, parts, n = taken_apart(rule)
    if kind == "not":
        return OPPOSITE[truth_of(parts[0], truths)]
    return at_least(n, [truth_of(part, truths) for part in parts])


def names(rule: Rule) -> Iterator[str]:
    """Every name in `rule`, in order, as often as it stands there."""
    if isinstance(rule, str):
        yield rule
        return
    for part in taken_apart(rule)[1]:
        yield from names(part)


def taken_apart(rule: Mapping[str, object]) -> tuple[str, Sequence[Rule], int]:
    """Kind, parts, and how many of them must be met. Raises ValueError, saying what is wrong, for anything else."""
    if not isinstance(rule, Mapping) or len(rule) != 1:
        raise ValueError(f"{rule!r} is neither a name nor exactly one of all_of, any_of, at_least, not")
    kind, inside = next(iter(rule.items()))
    if kind == "not":
        if not isinstance(inside, str | Mapping):
            raise ValueError(f"'not' turns one name or rule around, not {inside!r}")
        return kind, (inside,), 1
    n = None
    if kind == "at_least":
        if not isinstance(inside, Mapping) or set(inside) != {"n", "of"}:
            raise ValueError("'at_least' needs n and of")
        n, inside = inside["n"], inside["of"]
    elif kind not in ("all_of", "any_of"):
        raise ValueError(f"'{kind}' is not one of all_of, any_of, at_least, not")
    if not isinstance(inside, list | tuple) or not inside:
        raise ValueError(f"'{kind}' needs a list that is not empty")
    parts: Sequence[Rule] = tuple(inside)
    if kind != "at_least":
        return kind, parts, len(parts) if kind == "all_of" else 1
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= len(parts):
        raise ValueError(f"at_least {n} of {len(parts)} cannot be: n runs from 1 to the number of parts")
    return kind, parts, n

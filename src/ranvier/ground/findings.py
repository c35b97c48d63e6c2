"""A value that remembers what it was made from. Words belong to the report: a finding carries a name and its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Fact = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One conclusion, the numbers it rests on, and the findings it was made from.

    Attributes
    ----------
    name : what was found, e.g. ``wearing_off.likely``; the report has a sentence of this name
    facts : the numbers and words of that sentence, in canonical units
    because : the findings that led here
    source : an id in knowledge/evidence, where a publication or label stands behind it
    status : ``read``, ``read-2nd``, ``memory``, ``assumed``, ``computed`` or ``design``; None where it is the patient's own data
    """

    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    because: tuple[Finding, ...] = ()
    source: str | None = None
    status: str | None = None

    def walk(self) -> Iterator[Finding]:
        """This finding and all below it, depth first."""
        yield self
        for below in self.because:
            yield from below.walk()


def sources_of(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """The ids of exactly the sources that these findings used, sorted."""
    return tuple(sorted({f.source for top in findings for f in top.walk() if f.source}))

"""What must be said aloud, by occasion."""

from __future__ import annotations

from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Finding


def cautions(knowledge: Knowledge, when: str) -> tuple[Finding, ...]:
    """The cautions of an occasion, e.g. ``option.shorter_interval``, in the order of the file."""
    return tuple(
        Finding("caution", {"id": id, "says": caution["says"]}, source=caution["source"], status=caution["status"])
        for id, caution in knowledge.cautions.items()
        if caution["when"] == when
    )

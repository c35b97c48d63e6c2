"""Three-valued truth: not known is not no."""

import enum
from collections.abc import Iterable


class Truth(enum.Enum):
    """A statement is met, not met, or we do not know."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


def at_least(n: int, of: Iterable[Truth]) -> Truth:
    """MET once `n` are met; NOT_MET once `n` can no longer be reached; else UNKNOWN."""
    states = list(of)
    met, open_ = states.count(Truth.MET), states.count(Truth.UNKNOWN)
    if met >= n:
        return Truth.MET
    return Truth.UNKNOWN if met + open_ >= n else Truth.NOT_MET

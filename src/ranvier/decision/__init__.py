"""Decision: the join. Calls the other rooms in order and computes nothing itself.

In: `Record`, `Knowledge`, `Limits`, a day and a seed. Out: `Assessment`. Verb: `assess`.
Must not know any number, formula or unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranvier.decision.join import assess, treat
    from ranvier.regimen.nouns import Limits

__all__ = ["Limits", "assess", "treat"]


def __getattr__(name: str) -> Any:
    # Late, so that whoever needs only the nouns does not wait for the compiled rooms below.
    if name in ("assess", "treat"):
        from ranvier.decision import join

        return getattr(join, name)
    if name == "Limits":
        from ranvier.regimen.nouns import Limits

        return Limits
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

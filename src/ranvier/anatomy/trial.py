"""Invented examinations for measuring speed: small, usual, by movements, and everything at once."""

from __future__ import annotations

from ranvier.anatomy.load import load
from ranvier.anatomy.nouns import Anatomy, Examination, StrengthFinding

USUAL = "del bb tri br ecrl fcr fcu edc epl fpl fdp2 fdp45 apb adm fdi ip qf ta ehl gc plb tp"
MOVEMENTS = (
    "shoulder_abduction elbow_flexors wrist_extensors wrist_flexors finger_extensors finger_flexors finger_abductors "
    "thumb_abductors knee_flexors ankle_dorsiflexors ankle_plantarflexors foot_evertors toe_extensors"
)
WEAK = {
    ("edc", "right"): "2", ("epl", "right"): "4", ("fdi", "left"): "3", ("adm", "left"): "4-", ("ta", "left"): "3",
    ("finger_extensors", "right"): "2", ("finger_abductors", "left"): "3", ("ankle_dorsiflexors", "left"): "3",
}  # fmt: skip


def bench_cases(anatomy: Anatomy | None = None) -> tuple[tuple[str, Examination], ...]:
    """Name and examination; the wanted time is 50 ms each once the tables are made, except the last."""
    everything = " ".join((anatomy or load()).muscles)
    return tuple(
        (name, _examination(muscles))
        for name, muscles in (
            ("hand", "fdi adm apb fpl edc epl"),
            ("usual", USUAL),
            ("movements", MOVEMENTS),
            ("everything", everything),
        )
    )


def _examination(names: str) -> Examination:
    return Examination(
        tuple(
            StrengthFinding(name, side, WEAK.get((name, side), "5"))
            for name in names.split()
            for side in ("left", "right")
        )
    )

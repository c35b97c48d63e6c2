"""The posterior of multiple mononeuropathy over all limbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.anatomy.given import Compiled, Given
from ranvier.anatomy.limb import Limb
from ranvier.anatomy.patterns import Place

Floats = NDArray[np.float64]


class Many:
    """Posterior of multiple mononeuropathy: limbs weighed with each other over the worlds."""

    def __init__(
        self, compiled: Compiled, limbs: Mapping[Place, Limb], by_limb: Mapping[Place, Floats], given: Given
    ) -> None:
        self.compiled, self.limbs, self.given = compiled, limbs, given
        self.anatomy = compiled.anatomy
        worlds = compiled.layout.worlds
        joint = worlds * np.prod(list(by_limb.values()), axis=0)
        # Weight of a table of one limb, by world: everything of the other limbs, over P(all findings).
        self.outside = {place: joint / z / joint.sum() for place, z in by_limb.items()}

    def of(self, place: Place, table: Floats) -> Any:
        """A table of a limb, (worlds, …), turned into a posterior."""
        return np.tensordot(self.outside[place], table, axes=(0, 0))

    def variants(self) -> dict[str, float]:
        """P(variant present), for those that some tested muscle speaks to."""
        found = {}
        for place, limb in self.limbs.items():
            for id in limb.variants:
                found[f"{id}, {place[1]}"] = float(self.of(place, limb.variant_present(id)))
        return found

    def level(self, place: Place, site: str) -> Floats:
        """P(level of loss at the end of a site)."""
        answer: Floats = self.of(place, self.limbs[place].level(site))
        return answer

    def foreseen(self, place: Place, muscle: str, rows: Sequence[int]) -> Floats:
        """P(grade of a muscle | findings), for rows of the table of grades."""
        level = self.level(place, self.anatomy.muscles[muscle].site)
        return np.asarray(self.compiled.levels[list(rows)] @ (level @ self.compiled.layout.kernel))

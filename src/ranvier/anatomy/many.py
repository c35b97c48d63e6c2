"""The posterior of multiple mononeuropathy over all limbs."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
        layout = compiled.layout
        # Multiple mononeuropathy means a lesion of at least one site: the part without any is taken out, by world.
        self.nothing = {place: limb.evidence_if_sound() for place, limb in limbs.items()}
        # Each limb over its own largest evidence: the product of four limbs graded muscle by muscle leaves the range of floats.
        most = {place: float(z.max()) for place, z in by_limb.items()}
        worlds = layout.worlds / (1 - layout.nowhere)
        everything = worlds * np.prod([z / most[place] for place, z in by_limb.items()], axis=0)
        nothing = worlds * layout.nowhere * np.prod([z / most[place] for place, z in self.nothing.items()], axis=0)
        scaled = float((everything - nothing).sum())
        self.evidence = scaled * math.prod(most.values())
        # Weight of a table of one limb, by world: everything of the other limbs, over P(all findings).
        self.outside = {place: everything / z / scaled for place, z in by_limb.items()}
        self.nothing_share = nothing / scaled  # P(no site lesioned, findings) by world, over the same

    def lesion(self, place: Place, site: str) -> float:
        """P(a lesion at the site | findings)."""
        limb = self.limbs[place]
        return float(self.outside[place] @ (limb.evidence_by_world - limb.sound[site]))

    def own_lesion(self, place: Place, muscle: str) -> float:
        """P(a lesion of the muscle's own branch | findings)."""
        limb = self.limbs[place]
        alone = self.nothing_share @ limb.own_share(muscle)
        return float(self.outside[place] @ limb.own_lesion(muscle) - alone)

    def nerve(self, place: Place, nerve: str) -> float:
        """P(a lesion of the nerve, or of a branch to one of its muscles | findings)."""
        limb = self.limbs[place]
        alone = self.nothing_share @ (1 - limb.own_sound_share(nerve))
        return float(self.outside[place] @ (limb.evidence_by_world - limb.without_nerve(nerve)) - alone)

    def variants(self) -> dict[str, float]:
        """P(variant present | findings), for those that some tested muscle speaks to."""
        found = {}
        for place, limb in self.limbs.items():
            for id, variant in limb.variants.items():
                alone = self.nothing_share.sum() * variant.frequency * variant.dominance
                found[f"{id}, {place[1]}"] = float(self.outside[place] @ limb.variant_present(id) - alone)
        return found

    def foreseen(self, place: Place) -> Floats:
        """P(grade | findings) of every muscle of a limb: (muscles, 16 grades), in the order of `Patterns.muscles`."""
        limb, levels = self.limbs[place], {}
        answer = []
        for muscle in self.compiled.patterns.muscles[place[0]]:
            if muscle.site not in levels:
                table = limb.level(muscle.site) * self.outside[place][:, None]
                table[:, 0] -= self.nothing_share
                levels[muscle.site] = np.tensordot(table, self.compiled.layout.kernel, 2)
            answer.append(levels[muscle.site])
        return np.asarray(np.array(answer) @ self.compiled.levels.T)

"""The obvious road: every lesion pattern of a small map is written out, and its probability added up. Slow and plain."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ranvier.anatomy.limb import Evidence, Finding
from ranvier.anatomy.nouns import Anatomy
from ranvier.anatomy.strength import own_branch


def small(anatomy: Anatomy, sites: str, muscles: str, variants: str = "", levels: int = 4) -> Anatomy:
    """A map of a few sites and muscles; what lay between is left out. Fewer levels, so that all can be written out."""
    kept = {name: anatomy.sites[name] for name in sites.split()}

    def above(site: str | None) -> str | None:
        while site is not None and site not in kept:
            site = anatomy.sites[site].parent
        return site

    shorter = {name: replace(site, parent=above(site.parent)) for name, site in kept.items()}
    likelihood = replace(
        anatomy.likelihood,
        levels=(*(0.4**i for i in range(levels - 1)), 0.0),
        severities=tuple(
            replace(s, level=level, share=share)
            for s, level, share in zip(anatomy.likelihood.severities, (0, 1, levels - 1), (0.2, 0.5, 0.3), strict=False)
        ),
    )
    return replace(
        anatomy,
        sites=shorter,
        muscles={m: replace(anatomy.muscles[m], site=above(anatomy.muscles[m].site)) for m in muscles.split()},
        variants={v: anatomy.variants[v] for v in variants.split()},
        likelihood=likelihood,
    )


@dataclass(frozen=True)
class Twin:
    """P(findings) of one limb and the parts of it, by world, from the list of all patterns."""

    anatomy: Anatomy
    findings: Sequence[Finding]
    evidence: Sequence[Evidence]
    prior: Mapping[str, np.ndarray]
    extents: np.ndarray

    @cached_property
    def tables(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """By world, how a muscle follows its nerve: without and with a lesion of its own branch."""
        chances = [min(self.anatomy.likelihood.numbers["own_branch"] * extent, 0.5) for extent in self.extents]
        return [own_branch(self.anatomy.likelihood, chance) for chance in chances]

    def patterns(self) -> Iterator[tuple[dict[str, int | None], np.ndarray]]:
        """Each pattern (site → level it adds, None without a lesion) with its prior by world."""
        sites = list(self.anatomy.sites)
        states = [None, *self.anatomy.likelihood.severities]
        for chosen in itertools.product(states, repeat=len(sites)):
            weight = np.ones(len(self.extents))
            for site, severity in zip(sites, chosen, strict=True):
                p = self.prior[site]
                weight = weight * ((1 - p) if severity is None else p * severity.share)
            yield {s: None if c is None else c.level for s, c in zip(sites, chosen, strict=True)}, weight

    def path(self, site: str) -> list[str]:
        parent = self.anatomy.sites[site].parent
        return [*(self.path(parent) if parent else []), site]

    def level(self, pattern: Mapping[str, int | None], sites: Sequence[str]) -> int:
        return min(sum(pattern[s] or 0 for s in sites), len(self.anatomy.likelihood.levels) - 1)

    def route(self, muscle: str, present: Mapping[str, bool]) -> list[str]:
        """The sites through which the fibres run, with these variants."""
        usual = self.anatomy.muscles[muscle].site
        for variant in self.anatomy.variants.values():
            if present[variant.id] and muscle in variant.moves:
                if variant.crossing is None:
                    return self.path(variant.moves[muscle])
                leaves, joins = variant.crossing
                path = self.path(usual)
                return [*self.path(leaves), *path[path.index(joins) :]]
        return self.path(usual)

    def likelihood(
        self, pattern: Mapping[str, int | None], present: Mapping[str, bool], own: str | None, sound: frozenset[str]
    ) -> np.ndarray:
        """P(findings and results | pattern, variants), by world. own: also a lesion of that muscle's branch."""
        answer = np.ones(len(self.extents))
        for w, (without, with_own) in enumerate(self.tables):
            for finding in self.findings:
                if len(finding.members) == 1 and finding.name in finding.members:
                    muscle = finding.name
                    table = with_own if muscle == own else without if muscle in sound else without + with_own
                    level = self.level(pattern, self.route(muscle, present))
                    answer[w] *= table[level] @ finding.like
                else:
                    answer[w] *= sum(
                        share
                        * (
                            (without + with_own)[self.level(pattern, self.path(self.anatomy.muscles[m].site))]
                            @ finding.like
                        )
                        for m, share in finding.members.items()
                    )
        for result in self.evidence:
            if any(pattern[s] is not None for s in result.sites):
                answer = answer * result.ratio
        return answer

    def total(
        self,
        *,
        healthy: Sequence[str] = (),
        own: str | None = None,
        sound: frozenset[str] = frozenset(),
        variant: str | None = None,
        at: tuple[str, int] | None = None,
    ) -> np.ndarray:
        """P(findings, and what is asked) by world: sites healthy, a branch lesioned, a variant present, a level at a site."""
        answer = np.zeros(len(self.extents))
        names = list(self.anatomy.variants)
        for pattern, weight in self.patterns():
            if any(pattern[s] is not None for s in healthy):
                continue
            if at is not None and self.level(pattern, self.path(at[0])) != at[1]:
                continue
            for present in itertools.product((False, True), repeat=len(names)):
                there = dict(zip(names, present, strict=True))
                if variant is not None and not there[variant]:
                    continue
                p = 1.0
                for name, on in there.items():
                    f = self.anatomy.variants[name].frequency * self.anatomy.variants[name].dominance
                    p *= f if on else 1 - f
                answer = answer + p * weight * self.likelihood(pattern, there, own, sound)
        return answer

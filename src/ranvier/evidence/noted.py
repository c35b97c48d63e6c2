"""Knowledge that notes which of its numbers were read, so that an answer can name exactly those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from ranvier.evidence.nouns import Knowledge, Number, Prior

V = TypeVar("V")


class Noted(Mapping[str, V], Generic[V]):
    """A mapping that remembers the keys it was asked for."""

    def __init__(self, inner: Mapping[str, V]) -> None:
        self._inner = inner
        self._read: set[str] = set()

    def __getitem__(self, key: str) -> V:
        value = self._inner[key]
        self._read.add(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._inner)

    def __len__(self) -> int:
        return len(self._inner)

    def read(self) -> dict[str, V]:
        """What was read, by name, sorted."""
        return {key: self._inner[key] for key in sorted(self._read)}


class Ledger:
    """The same knowledge, with an account of its numbers.

    knowledge : to be handed to the rooms in place of the original; equal to it in every value
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._monitoring, self._loss = Noted(knowledge.monitoring), Noted(knowledge.loss)
        self._parameters, self._constants = Noted(knowledge.composite.parameters), Noted(knowledge.composite.constants)
        self._kinetics = {p.id: Noted(p.parameters) for p in knowledge.composite.kinetics}
        composite = replace(
            knowledge.composite,
            parameters=self._parameters,
            constants=self._constants,
            kinetics=tuple(replace(p, parameters=self._kinetics[p.id]) for p in knowledge.composite.kinetics),
        )
        self.knowledge = replace(knowledge, composite=composite, monitoring=self._monitoring, loss=self._loss)

    def numbers(self) -> tuple[tuple[str, Number], ...]:
        """Every number read so far, with its name."""
        found: list[tuple[str, Number]] = []
        for population, noted in self._kinetics.items():
            found += [(f"{population}.{name}", n) for name, prior in noted.read().items() for n in _of_prior(prior)]
        found += [(name, n) for name, prior in self._parameters.read().items() for n in _of_prior(prior)]
        for kind in (self._constants, self._monitoring):
            found += list(kind.read().items())
        found += [(f"loss.{name}", n) for name, n in self._loss.read().items()]
        return tuple(found)


def _of_prior(prior: Prior) -> tuple[Number, ...]:
    numbers = [prior.typical]
    if prior.spread is not None:
        numbers.append(prior.spread)
    if prior.covariate is not None:
        numbers += [prior.covariate.reference, prior.covariate.exponent]
    return tuple(numbers)

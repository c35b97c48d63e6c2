"""From what examiners write to the ids of the map: names, aliases, abbreviations, movements; else what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from ranvier.anatomy.nouns import Anatomy

# Spellings that mean the same everywhere; applied word by word.
SAME: Mapping[str, str] = {
    "interosseus": "interosseous", "interossei": "interossei", "interosseum": "interosseous",
    "peroneus": "fibularis", "peroneal": "fibular", "peronaeus": "fibularis",
    "1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "i": "1", "ii": "2", "iii": "3", "iv": "4",
    "v": "5", "great": "big", "hallux": "big toe", "flexion": "flexors", "flexor": "flexors", "extension": "extensors",
    "extensor": "extensors", "abduction": "abductors", "abductor": "abductors", "adduction": "adductors",
    "adductor": "adductors", "dorsiflexion": "dorsiflexors", "dorsiflexor": "dorsiflexors",
    "plantarflexion": "plantarflexors", "plantarflexor": "plantarflexors", "eversion": "evertors",
    "inversion": "invertors", "supination": "supinators", "pronation": "pronators",
    "fingers": "finger", "toes": "toe", "hamstring": "hamstrings", "lumbrical": "lumbricals", "thumbs": "thumb",
    "rhomboid": "rhomboids", "gluteal": "gluteus", "glutaeus": "gluteus",
}  # fmt: skip
EMPTY = frozenset(("m", "mm", "musculus", "muscle", "muscles", "the", "of", "and", "strength", "power"))
MOST = 3  # proposals


def plain(text: str) -> str:
    """Lower case, no punctuation, one spelling, words that say nothing left out."""
    words = re.split(r"[^0-9a-z]+", text.lower().replace("ß", "ss"))
    kept = [SAME.get(w, w) for w in words if w and w not in EMPTY]
    return " ".join(kept)


class Names:
    """All names of one map. A name that could mean two things means neither: `clashes` lists those."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self._by_name: dict[str, str] = {}
        self.clashes: list[tuple[str, str, str]] = []
        named = [
            *((m.id, (m.id, m.name, *m.aliases)) for m in anatomy.muscles.values()),
            *((g.id, (g.id.replace("_", " "), g.name, *g.aliases)) for g in anatomy.groups.values()),
        ]
        for id, names in named:
            for name in names:
                key = plain(name)
                target = self._same_as(id)
                before = self._by_name.setdefault(key, target)
                if before != target:
                    self.clashes.append((name, before, target))

    def _same_as(self, id: str) -> str:
        """A group of one muscle is that muscle."""
        group = self.anatomy.groups.get(id)
        if group is not None and len(group.members) == 1:
            return next(iter(group.members))
        return id

    def find(self, text: str) -> str | None:
        """Id of a muscle or group, or None."""
        return self._by_name.get(plain(text))

    def near(self, text: str) -> tuple[str, ...]:
        """Names of what was perhaps meant, best first."""
        key = plain(text)
        close = get_close_matches(key, self._by_name, n=MOST * 3, cutoff=0.6)
        words = set(key.split())
        if len(close) < MOST and words:
            close += [name for name in self._by_name if words <= set(name.split()) and name not in close]
        found = dict.fromkeys(self.name(self._by_name[name]) for name in close)
        return tuple(found)[:MOST]

    def name(self, id: str) -> str:
        """The name of a muscle or group, for people."""
        muscle = self.anatomy.muscles.get(id)
        return muscle.name if muscle else self.anatomy.groups[id].name

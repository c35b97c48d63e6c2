"""Which drug is meant: by ATC code (former codes too), RxNorm id or name. A near miss becomes a question, never a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from ranvier.evidence.nouns import DrugGroup, Ingredient, Knowledge
from ranvier.ground.notes import Question
from ranvier.protection.nouns import Drug, Order

LONGEST = 300  # letters; no name of a drug is longer
ALIKE = 0.78  # how alike two names must be to be offered
OFFERED = 6  # choices of one question

_ATC = re.compile(r"[A-Z]\d{2}([A-Z]([A-Z](\d{2})?)?)?")
_MAIN_GROUPS = "ABCDGHJLMNPRSV"
# Words of form and route in the name of an order, in English and German as `plain` writes them, and the route they say.
# Salts, doses and packs say nothing.
_ROUTES: Mapping[str, tuple[str, ...]] = {
    "inhaled": (
        "inhaler",
        "inhalation",
        "inhaled",
        "puff",
        "puffs",
        "nebuliser",
        "nebulizer",
        "nebulised",
        "turbuhaler",
        "inhalativ",
        "dosieraerosol",
    ),
    "nasal": (
        "nasal",
        "nose",
        "nasenspray",
    ),
    "topical": (
        "cream",
        "ointment",
        "gel",
        "lotion",
        "topical",
        "shampoo",
        "foam",
        "creme",
        "salbe",
    ),
    "eye": (
        "eye",
        "ophthalmic",
        "augentropfen",
        "augensalbe",
    ),
    "ear": (
        "ear",
        "otic",
        "ohrentropfen",
    ),
    "rectal": (
        "suppository",
        "suppositories",
        "enema",
        "rectal",
        "rektal",
        "zapfchen",
    ),
    "vaginal": (
        "vaginal",
        "pessary",
        "pessaries",
    ),
    "intra-articular": (
        "intra-articular",
        "intraarticular",
        "knee",
        "shoulder",
        "joint",
        "intraartikular",
        "gelenk",
        "knie",
        "schulter",
    ),
    "perineural": ("perineural",),
    "epidural": ("epidural",),
    "transdermal": (
        "patch",
        "patches",
        "transdermal",
        "pflaster",
    ),
    "oral": (
        "tablet",
        "tablets",
        "tab",
        "capsule",
        "capsules",
        "oral",
        "mouth",
        "syrup",
        "tablette",
        "tabletten",
        "kapsel",
        "kapseln",
    ),
    "IV": (
        "iv",
        "intravenous",
        "i.v.",
        "intravenos",
    ),
    "IM": (
        "im",
        "intramuscular",
        "i.m.",
        "intramuskular",
    ),
}

_LAST_E = re.compile(r"(?<=[a-z]{5})e$")
_WAYS = (" inhaled", " nasal", " topical", " enteric", " eye")
"""Endings of names in the table that only say the way."""


def identify(order: Order, knowledge: Knowledge) -> Drug | Question:
    """The drug of an order, or what must be asked first.

    Codes and name must agree where both are given: of two drugs, neither is chosen.
    """
    texts = [order.drug, *order.codes]
    found: list[Drug] = []
    questions: list[Question] = []
    for text in texts:
        one = _one(text, knowledge)
        if isinstance(one, Drug):
            found.append(one)
        else:
            questions.append(one)
    names = dict.fromkeys(d.atc or d.name for d in found)
    if len(names) > 1:
        said = " and ".join(f"'{text.strip()[:60]}' ({d.name})" for text, d in zip(texts, found, strict=False))
        return Question(
            "drug", "order", "Which of these is ordered?", tuple(dict.fromkeys(d.name for d in found)),
            f"Name and code do not mean the same drug: {said}.",
        )  # fmt: skip
    if found:
        # A code that is not known here does no harm beside a name that is.
        route = next((d.route for d in found if d.route), None)
        was = next((d.was for d in found if d.was), None)
        return Drug(found[0].name, found[0].atc, route, was)
    return questions[0]


def known_drug(name: str, code: str | None, knowledge: Knowledge) -> Drug | None:
    """The drug of a record's line, or None where it cannot be told for sure."""
    found = identify(Order(name, (code,) if code else ()), knowledge)
    return found if isinstance(found, Drug) else None


def group_of(drug: Drug, knowledge: Knowledge) -> tuple[DrugGroup, ...]:
    """The groups a drug belongs to, in the order of the file."""
    return tuple(group for group in knowledge.drugs.values() if _belongs(drug, group))


def _belongs(drug: Drug, group: DrugGroup) -> bool:
    if drug.atc is not None:
        return drug.atc.startswith(group.atc) if group.atc else False
    return plain(drug.name) in {plain(word) for word in group.words}


def plain(text: str) -> str:
    """Lower case, without accents, one space between words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isprintable() else " " for c in decomposed if not unicodedata.combining(c)).split())


def _one(text: str, knowledge: Knowledge) -> Drug | Question:
    text = text.strip()
    if not text or len(text) > LONGEST or not any(c.isalnum() for c in text):
        return _ask("Which drug is it?", (), "The order names none.")
    code = _as_code(text)
    if code is not None:
        return _by_code(*code, knowledge)
    return _by_name(text, knowledge)


def _as_code(text: str) -> tuple[str, str] | None:
    """System and code, if the text is a code."""
    match = re.fullmatch(r"(?i)\s*(atc|rxnorm|rxcui)?\s*[:#]?\s*([a-z]\d{2}[a-z0-9]*|\d{2,8})\s*", text)
    if match is None:
        return None
    system, code = (match[1] or "").lower(), match[2].upper()
    if code.isdigit():
        return ("rxnorm" if system in ("rxnorm", "rxcui") else "digits"), code
    return (system or "atc"), code


def _by_code(system: str, code: str, knowledge: Knowledge) -> Drug | Question:
    if system == "digits":
        return _ask("Is this an RxNorm number?", (f"RxNorm {code}",), f"'{code}' is a number without its system.")
    if system in ("rxnorm", "rxcui"):
        for one in knowledge.ingredients:
            if one.rxnorm == code:
                return Drug(one.name, one.atc)
        return _ask(
            "Which drug is it? Write its name or its ATC code.", (), f"RxNorm {code} is not among the ingredients here."
        )
    if _ATC.fullmatch(code) is None or code[0] not in _MAIN_GROUPS:
        return _ask("Which drug is it? Write its name.", (), f"'{code[:20]}' is not an ATC code.")
    if len(code) < 5:
        return _ask("Which drug of this group is it?", (), f"'{code}' is a whole group of drugs.")
    for one in knowledge.ingredients:
        if one.atc == code:
            return Drug(one.name, code)
    for one in knowledge.ingredients:
        if code in one.former:
            return Drug(one.name, one.atc, was=code)
    return Drug(f"ATC {code}", code)


@lru_cache(maxsize=8)
def _names(ingredients: tuple[Ingredient, ...]) -> Mapping[str, Ingredient]:
    """Every name, plain, with its ingredient; and as other languages write it, without the last e: prednisolon."""
    names = {plain(name): one for one in ingredients for name in (one.name, *one.also)}
    for name, one in list(names.items()):
        names.setdefault(" ".join(_LAST_E.sub("", word) for word in name.split()), one)
    return names


def _extra(knowledge: Knowledge) -> Mapping[str, str]:
    """Treatments and kinds of drug that have no line in the table ("plasma exchange", "contrast medium")."""
    words = tuple(word for group in knowledge.drugs.values() for word in group.words)
    return _without_line(words, knowledge.ingredients)


@lru_cache(maxsize=8)
def _without_line(words: tuple[str, ...], ingredients: tuple[Ingredient, ...]) -> Mapping[str, str]:
    names = _names(ingredients)
    bare = {plain(word): word for word in words}
    return {short: word for short, word in bare.items() if not any(name.startswith(short) for name in names)}


def _within(name: str, said: str) -> bool:
    """Whether a name stands in the text with no letter right before or after it."""
    at = said.find(name)
    while at >= 0:
        end = at + len(name)
        around = said[at - 1 : at] + said[end : end + 1]
        if not any("a" <= letter <= "z" for letter in around):
            return True
        at = said.find(name, at + 1)
    return False


def _by_name(text: str, knowledge: Knowledge) -> Drug | Question:
    names, extra = _names(knowledge.ingredients), _extra(knowledge)
    said = plain(text)
    route, unsure = _route(said)
    if unsure:
        return _ask("By which way is it given?", unsure, f"'{text[:80]}' names more than one.")
    if said in names:
        return Drug(names[said].name, names[said].atc, _own_route(names[said], said, route))
    if said in extra:
        return Drug(extra[said], None)
    by_way = _by_way(said, route, knowledge)
    if by_way is not None:
        return by_way
    # The name within a longer text ("prednisolone 5 mg tablets"); of names within names, the longer one.
    inside = _longest(name for name in (*names, *extra) if _within(name, said))
    hit = list(dict.fromkeys(names[name].name if name in names else extra[name] for name in inside))
    if len(hit) > 1:
        return _ask("Which one is ordered? One drug per order.", tuple(hit), f"'{text[:80]}' names more than one drug.")
    if hit:
        name = inside[0]
        if name in names:
            return Drug(names[name].name, names[name].atc, _own_route(names[name], said, route))
        return Drug(extra[name], None)
    near = _near(said, (*names, *extra))
    choices = tuple(dict.fromkeys(names[n].name if n in names else extra[n] for n in near))[:OFFERED]
    if choices:
        return _ask(
            "Is one of these meant? Write its name or its ATC code.", choices, f"'{text[:80]}' is not known here."
        )
    return _ask(
        "Which drug is it? Write its ATC code, as in 'ATC H02AB06'.", (),
        f"'{text[:80]}' is not known here, and nothing can be said about it.",
    )  # fmt: skip


def _by_way(said: str, route: str | None, knowledge: Knowledge) -> Drug | Question | None:
    """Drugs that are told apart by their way only: "budesonide" is inhaled, enteric or nasal; without the way it is asked."""
    fitting = [
        one for one in knowledge.ingredients if one.name.casefold().endswith(_WAYS) and _within(_base(one), said)
    ]
    if not fitting or any(name in said for name in _names(knowledge.ingredients) if " and " in name):
        return None
    chosen = [one for one in fitting if route is not None and one.name.endswith(route)]
    if len(chosen) == 1:
        return Drug(chosen[0].name, chosen[0].atc, route)
    if said in (_base(one) for one in fitting) or route is None:
        return _ask(
            "By which way is it given?", tuple(one.name for one in fitting), f"'{said[:80]}' is given in several ways."
        )
    return None


def _base(one: Ingredient) -> str:
    return plain(one.name).rsplit(" ", 1)[0]


def _own_route(one: Ingredient, said: str, route: str | None) -> str | None:
    """The route that the text says beyond what the drug's own name says ("budesonide inhaled")."""
    if route is not None:
        return route
    return next((word for word in ("inhaled", "nasal", "topical") if one.name.endswith(word)), None)


def _route(said: str) -> tuple[str | None, tuple[str, ...]]:
    """The route that words of form say, or the several that they say."""
    tokens = re.split(r"[^a-z.\-]+", said)
    routes = [route for route, words in _ROUTES.items() if any(token in words for token in tokens)]
    if len(routes) > 1 and set(routes) != {"oral", "IV"}:
        # "Nasal gel" and "eye ointment" say where; the form is no second way.
        routes = [route for route in routes if route not in ("topical", "oral")] or routes
    return (routes[0], ()) if len(routes) == 1 else (None, tuple(routes) if len(routes) > 1 else ())


def _longest(names: Iterable[str]) -> list[str]:
    """Names that are not part of a longer one among them, longest first."""
    ordered = sorted(set(names), key=lambda name: (-len(name), name))
    kept: list[str] = []
    for name in ordered:
        if not any(name in longer for longer in kept):
            kept.append(name)
    return kept


def _near(said: str, names: Iterable[str]) -> list[str]:
    """Names that look like the whole text, or like one of its longer words."""
    every = list(names)
    words = [said, *(word for word in re.split(r"[^a-z\-]+", said) if len(word) >= 5)]
    found: list[str] = []
    for word in words:
        found += get_close_matches(word, every, n=OFFERED, cutoff=ALIKE)
        found += sorted(name for name in every if len(word) >= 5 and name.startswith(word))[:OFFERED]
    return list(dict.fromkeys(found))


def _ask(ask: str, choices: tuple[str, ...], because: str) -> Question:
    return Question("drug", "order", ask, choices, because)

"""From `knowledge/criteria` and `knowledge/differential` to frozen nouns; every name checked against every other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from ranvier.diagnosis import rules
from ranvier.diagnosis.nouns import (
    Amount,
    Backing,
    Book,
    Cell,
    ClassRule,
    CriteriaSet,
    Disease,
    Flag,
    Item,
    Likelihood,
    Procedure,
    Question,
    Setting,
)
from ranvier.ground.notes import InputError, Problem

Data = Mapping[str, Any]
CLASSES = ("definite", "probable", "possible")
KINDS = (
    "history", "examination", "conduction", "emg", "antibody", "csf", "blood", "imaging", "genetics", "treatment",
)  # fmt: skip
FILES = ("findings", "likelihoods", "conditions", "flags", "procedures", "judgement")


@functools.cache
def load() -> Book:
    """The knowledge of this room, read once. Raises InputError with every fault."""
    return read(files("ranvier.knowledge"))


def read(root: Traversable) -> Book:
    """The knowledge of this room from a folder laid out like `ranvier/knowledge`.

    Each file in `criteria` is one edition of one set: to add an edition, add a file. Raises InputError naming every
    file that cannot be used, with place and remedy.
    """
    reading = _Reading(root)
    book = reading.book()
    if reading.problems or book is None:
        raise InputError("The knowledge of the diagnosis cannot be used", tuple(reading.problems))
    return book


def with_priors(book: Book, setting: str, changed: Mapping[str, float]) -> Setting:
    """A setting with some priors replaced, scaled so that they sum to 1 again.

    Parameters
    ----------
    setting : id of the setting to begin with
    changed : condition → probability in this clinic, between 0 and 1; the others share the rest as they did before

    Raises
    ------
    InputError : no such setting or condition, or numbers that cannot be probabilities
    """
    problems = []
    if setting not in book.settings:
        known = ", ".join(book.settings)
        problems.append(Problem("prior.setting", f"there is no setting '{setting}'", f"Write one of: {known}."))
    for name, value in changed.items():
        if name not in book.diseases:
            known = ", ".join(book.diseases)
            problems.append(Problem(f"prior.{name}", f"there is no condition '{name}'", f"Write one of: {known}."))
        elif not 0 < value < 1:
            problems.append(Problem(f"prior.{name}", f"{value} is no probability", "Write a number between 0 and 1."))
    if not problems and sum(changed.values()) >= 1:
        problems.append(Problem("prior", "the priors given sum to 1 or more", "Leave room for the other conditions."))
    if problems:
        raise InputError("These priors cannot be used", tuple(problems))
    base = book.settings[setting]
    if not changed:
        return base
    rest = sum(cell.value for name, cell in base.priors.items() if name not in changed)
    left = 1 - sum(changed.values())
    own = Backing(None, "given by the user", "assumed")
    priors = {
        name: Cell(changed[name], own) if name in changed else Cell(cell.value * left / rest, cell.backing)
        for name, cell in base.priors.items()
    }
    return Setting(base.id, base.says, priors)


class _Reading:
    """One pass over the folder. What cannot be made is left out, so that the rest is still looked at."""

    def __init__(self, root: Traversable) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def say(self, path: str, what: str, remedy: str = "Mend the file; the files beside it show the layout.") -> None:
        self.problems.append(Problem(f"knowledge/{path}", what, remedy))

    def file(self, path: str) -> Data | None:
        """The mapping in a file, or None after a problem."""
        file = self.root
        for part in path.split("/"):
            file = file / part
        try:
            data = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        except FileNotFoundError:
            self.say(path, "The file is missing")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self.say(path, f"The file is not YAML: {' '.join(str(error).split())}")
        else:
            if isinstance(data, Mapping):
                return data
            self.say(path, "The file holds no mapping of names to values")
        return None

    def made(self, path: str, place: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, or None after a problem."""
        try:
            return make()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
            self.say(path, f"{place}: {why}")
            return None

    def each(self, path: str, entries: Data, make: Callable[[str, Any], Any]) -> dict[str, Any]:
        """`make` of every entry that can be made."""
        found = {name: self.made(path, name, functools.partial(make, name, value)) for name, value in entries.items()}
        return {name: value for name, value in found.items() if value is not None}

    def book(self) -> Book | None:
        raw = {name: self.file(f"differential/{name}.yaml") for name in FILES}
        folder = self.root / "criteria"
        names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".yaml")) if folder.is_dir() else []
        criteria = {name: self.file(f"criteria/{name}") for name in names}
        if not names:
            self.say("criteria", "There is no set of criteria", "Add one file per edition.")
        if any(data is None for data in raw.values()):
            return None
        data: dict[str, Data] = {name: found for name, found in raw.items() if found is not None}
        questions = self.each("differential/findings.yaml", data["findings"].get("findings", {}), _question)
        for name, found in criteria.items():  # an edition may bring findings of its own
            if found is not None:
                questions |= self.each(f"criteria/{name}", found.get("findings", {}), _question)
        self.check_questions(questions)
        sets = [
            self.made(f"criteria/{name}", "the set", functools.partial(_set, found, questions))
            for name, found in criteria.items()
            if found is not None
        ]
        conditions = data["conditions"]
        diseases = self.each(
            "differential/conditions.yaml",
            conditions.get("conditions", {}),
            lambda name, value: _disease(name, value, conditions["backing"]),
        )
        settings = self.each(
            "differential/conditions.yaml",
            conditions.get("settings", {}),
            lambda name, value: _setting(name, value, conditions["backing"], diseases),
        )
        likelihoods = self.each(
            "differential/likelihoods.yaml",
            data["likelihoods"].get("likelihoods", {}),
            lambda name, value: _likelihood(name, value, data["likelihoods"]["assumed"], questions, diseases),
        )
        flags = self.each(
            "differential/flags.yaml",
            {str(i): value for i, value in enumerate(data["flags"].get("flags", ()))},
            lambda name, value: _flag(value, questions, diseases),
        )
        procedures = self.each(
            "differential/procedures.yaml",
            data["procedures"].get("procedures", {}),
            lambda name, value: _procedure(name, value, data["procedures"]["backing"], questions),
        )
        for disease in diseases.values():
            for test in set(disease.settles) - set(procedures):
                self.say("differential/conditions.yaml", f"{disease.id}.settles: there is no procedure '{test}'")
        judgement = data["judgement"]
        return Book(
            questions=questions,
            sets=tuple(sorted((s for s in sets if s is not None), key=lambda s: (not s.leads, s.set, s.edition))),
            diseases=diseases,
            settings=settings,
            likelihoods=likelihoods,
            flags=tuple(flags.values()),
            procedures=tuple(procedures.values()),
            numbers=self.each(
                "differential/judgement.yaml",
                judgement.get("numbers", {}),
                lambda name, value: _amount(value),
            ),
            sentences=self.each(
                "differential/judgement.yaml",
                judgement.get("sentences", {}),
                lambda name, value: tuple((entry["says"], _backing(entry)) for entry in value),
            ),
        )

    def check_rule(self, name: str, rule: Any, questions: Mapping[str, Question]) -> None:
        """A finding that is a combination of others: a sound rule over known names."""
        if not isinstance(rule, str):  # a single word is the id of a block rule
            self.made("differential/findings.yaml", name, lambda: _known(rules.names(rule), questions, "finding"))

    def check_questions(self, questions: Mapping[str, Question]) -> None:
        for question in questions.values():
            if question.derived and "rule" in question.derived:
                self.check_rule(question.id, question.derived["rule"], questions)
            for other in sorted({*question.implies, *question.excludes} - set(questions)):
                self.say("differential/findings.yaml", f"{question.id}: there is no finding '{other}'")


def _amount(data: Data) -> Amount:
    _only(data, "value", "unit", "source", "where", "status")
    return Amount(float(data["value"]), data["unit"], _backing(data))


def _backing(data: Data) -> Backing:
    if data["source"] is None and data["status"] not in ("assumed", "design"):
        raise ValueError(f"status {data['status']} needs a source")
    return Backing(data["source"], str(data["where"]), data["status"])


def _known(names: Iterator[str] | Any, known: Mapping[str, object], what: str) -> tuple[str, ...]:
    found = tuple(names)
    if missing := sorted(set(found) - set(known)):
        raise ValueError(f"there is no {what} '{missing[0]}'")
    return found


def _only(data: Data, *keys: str) -> None:
    """Nothing but these keys: an unquoted comma inside braces would otherwise cut a sentence in two unseen."""
    if extra := sorted(str(key) for key in data if key not in keys):
        raise ValueError(f"'{extra[0]}' is no key here; a sentence with a comma needs quotes")


def _question(name: str, data: Data) -> Question:
    _only(data, "says", "kind", "group", "reported", "implies", "excludes", "derived", "presumed_absent")
    if data["kind"] not in KINDS:
        raise ValueError(f"kind '{data['kind']}' is not one of {', '.join(KINDS)}")
    return Question(
        id=name,
        says=data["says"],
        kind=data["kind"],
        group=data["group"],
        reported=data.get("reported", True),
        implies=tuple(data.get("implies", ())),
        excludes=tuple(data.get("excludes", ())),
        derived=data.get("derived"),
        presumed_absent=data.get("presumed_absent", False),
    )


def _set(data: Data, questions: Mapping[str, Question]) -> CriteriaSet:
    items: dict[str, Item] = {}
    for name, value in data["items"].items():
        _only(value, "says", "kind", "rule", "source", "where", "status")
        if name in questions:
            raise ValueError(f"item '{name}' has the name of a finding")
        _known(rules.names(value["rule"]), {**questions, **items}, "finding or earlier item")
        items[name] = Item(name, value["says"], value["kind"], value["rule"], _backing(value))
    classes = []
    for value in data["classes"]:
        _only(value, "name", "says", "rule", "source", "where", "status")
        _known(rules.names(value["rule"]), {**questions, **items}, "finding or item")
        classes.append(ClassRule(value["name"], value["says"], value["rule"], _backing(value)))
    order = [c.name for c in classes]
    if not order or order != [name for name in CLASSES if name in order]:
        raise ValueError(f"classes are {order}: write some of {', '.join(CLASSES)}, the strictest first, each once")
    return CriteriaSet(
        set=data["set"],
        edition=str(data["edition"]),
        title=data["title"],
        source=data["source"],
        items=items,
        classes=tuple(classes),
        block_rule=data.get("block_rule"),
        leads=data.get("leads", False),
        notes=tuple(data.get("notes", ())),
    )


def _share(value: Any, assumed: Data) -> Cell:
    """A bare number is assumed; a mapping says where it stands."""
    if isinstance(value, Mapping):
        _only(value, "value", "unit", "source", "where", "status")
    number = float(value["value"] if isinstance(value, Mapping) else value)
    if not 0 < number < 1:
        raise ValueError(f"{number} is not between 0 and 1; nothing is ever certain")
    return Cell(number, _backing(value if isinstance(value, Mapping) else assumed))


def _disease(name: str, data: Data, assumed: Data) -> Disease:
    patterns = {key: float(value) for key, value in data["patterns"].items()}
    if any(not 0 < share < 1 for share in patterns.values()) or sum(patterns.values()) >= 1:
        raise ValueError("the shares of patterns lie between 0 and 1 and sum to less than 1")
    return Disease(name, data["name"], tuple(data["settles"]), patterns, _backing(assumed), data.get("note", ""))


def _setting(name: str, data: Data, assumed: Data, diseases: Mapping[str, Disease]) -> Setting:
    given = {key: _share(value, assumed) for key, value in data["priors"].items()}
    _known(given, diseases, "condition")
    if missing := sorted(set(diseases) - set(given)):
        raise ValueError(f"no prior for '{missing[0]}'")
    total = sum(cell.value for cell in given.values())
    return Setting(name, data["says"], {key: Cell(given[key].value / total, given[key].backing) for key in diseases})


def _likelihood(
    name: str, data: Data, assumed: Data, questions: Mapping[str, Question], diseases: Mapping[str, Disease]
) -> Likelihood:
    _known([name], questions, "finding")
    settings = ("others", "weak_absence", "silenced_by", "decisive")
    cells = {key: _share(value, assumed) for key, value in data.items() if key not in settings}
    _known(cells, diseases, "condition")
    silenced_by = data.get("silenced_by")
    _known([] if silenced_by is None else [silenced_by], questions, "finding")
    others, weak, decisive = (
        _share(data["others"], assumed),
        data.get("weak_absence", False),
        data.get("decisive", False),
    )
    return Likelihood(name, others, cells, weak, silenced_by, decisive)


def _flag(data: Data, questions: Mapping[str, Question], diseases: Mapping[str, Disease]) -> Flag:
    _only(data, "finding", "grade", "says", "do", "think_of", "when", "unless", "source", "where", "status")
    _known([data["finding"], *([data["unless"]] if "unless" in data else [])], questions, "finding")
    if data["grade"] not in ("stop", "slow"):
        raise ValueError(f"grade '{data['grade']}' is neither stop nor slow")
    if data.get("when", "met") not in ("met", "not met"):
        raise ValueError(f"when '{data['when']}' is neither met nor not met")
    return Flag(
        finding=data["finding"],
        grade=data["grade"],
        says=data["says"],
        think_of=_known(data["think_of"], diseases, "condition"),
        do=data["do"],
        backing=_backing(data),
        met=data.get("when", "met") == "met",
        unless=data.get("unless"),
    )


def _procedure(name: str, data: Data, assumed: Data, questions: Mapping[str, Question]) -> Procedure:
    _only(data, "says", "cost", "harm", "answers")
    for key in ("cost", "harm"):
        if data[key] not in range(5):
            raise ValueError(f"{key} {data[key]} is not an ordinal from 0 to 4")
    answers = _known(data["answers"], questions, "finding")
    return Procedure(name, data["says"], answers, data["cost"], data["harm"], _backing(assumed))

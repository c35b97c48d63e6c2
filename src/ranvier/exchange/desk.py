"""The desk: what a person answered comes in, what must still be answered goes out. Nothing is guessed here either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ranvier.ground.notes import Problem, Question, Severity


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about, which also says where its answer is remembered.

    file : the table it arose in; "" for the whole record
    shape : signature of the table's headings; answers hold for every table of this shape
    row : text of the row, for questions about one row
    """

    file: str = ""
    shape: str = ""
    row: str = ""


@dataclass(slots=True)
class Memory:
    """Answers of earlier imports: of the record, per shape of table, and per row of such a table."""

    shared: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: dict[tuple[str, str, str], str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Memory:
        """A memory of its own with the same answers."""
        return Memory(
            dict(self.shared), {s: dict(a) for s, a in self.shapes.items()}, dict(self.rows), dict(self.headings)
        )


class Desk:
    """Answers in, questions out.

    given : key → answer, from the command line or an answers file; keys may leave out the file's name
    memory : answers of earlier imports
    alone : whether there is one file only; if not, an answer about a row must name its file

    Answers of this import are remembered for the next one, never used for another table of this one.
    """

    def __init__(self, given: Mapping[str, str], memory: Memory, *, alone: bool = True) -> None:
        self.given = {key.strip(): str(answer).strip() for key, answer in given.items()}
        self.past = memory
        self.memory = memory.copy()
        self.alone = alone
        self.told: dict[tuple[str, str, str], tuple[str, str]] = {}
        self.torn: set[tuple[str, str, str]] = set()
        self.questions: dict[str, Question] = {}
        self.offers: dict[str, Question] = {}
        self.answered: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.used: set[str] = set()

    def ask(
        self,
        name: str,
        about: About,
        *,
        place: str,
        ask: str,
        choices: tuple[str, ...] = (),
        because: str = "",
        accept: Callable[[str], bool] | None = None,
        must: bool = True,
        remember: str | None = None,
    ) -> str | None:
        """The answer, or None and a question for a person.

        choices : the allowed answers; one in angle brackets stands for free words that `accept` allows
        accept : which free answers are understood; None with choices: only the choices
        must : False only offers the question; nothing waits for its answer
        remember : name under which the answer is remembered, where it is not `name` (a line number may change)
        """
        key = f"{about.file}.{name}" if about.file else name
        question = Question(key, place, ask, choices, because)
        answer, origin = self._find(key, name, about, remember or name)
        if answer is not None:
            chosen = _chosen(answer, choices, accept)
            if chosen is not None:
                self._remember(remember or name, about, chosen)
                self.answered[key] = chosen
                return chosen
            if origin in self.given:  # a remembered answer that no longer fits is asked anew
                allowed = ", ".join(choices) or "see the question"
                what = f"'{answer[:60]}' does not answer: {ask}"
                self._complain(Problem(f"answer {origin}", what, f"Write one of: {allowed}."))
        (self.questions if must else self.offers).setdefault(key, question)
        return None

    def _find(self, key: str, name: str, about: About, kept: str) -> tuple[str | None, str]:
        for candidate in (key,) if about.row and not self.alone else (key, name):
            if candidate in self.given:
                self.used.add(candidate)
                return self.given[candidate], candidate
        key = ""  # from here on an answer is a remembered one
        if about.row:
            return self.past.rows.get((about.shape, about.row, kept)), key
        if about.shape:
            answers = self.past.shapes.get(about.shape, {})
            return answers.get(f"{about.file}: {kept}", answers.get(kept)), key
        return self.past.shared.get(kept), key

    def _remember(self, name: str, about: About, answer: str) -> None:
        """Keep an answer for the next import. Where two tables of one shape were answered differently, by file or not at all."""
        slot = (about.shape, about.row, name)
        before, file = self.told.setdefault(slot, (answer, about.file))
        if before != answer:
            self.torn.add(slot)
        if about.row:
            self.memory.rows[slot] = answer
            if slot in self.torn:
                del self.memory.rows[slot]
        elif about.shape:
            answers = self.memory.shapes.setdefault(about.shape, {})
            if slot in self.torn:
                answers.pop(name, None)
                answers |= {f"{file}: {name}": before, f"{about.file}: {name}": answer}
            else:
                answers[name] = answer
        else:
            self.memory.shared[name] = answer

    def _complain(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def mend(self, place: str, what: str, remedy: str, line: int | None = None) -> None:
        """Note something that refuses the import."""
        self._complain(Problem(place, what, remedy, Severity.MEND, line))

    def look(self, place: str, what: str, remedy: str, line: int | None = None) -> None:
        """Note something that a person should look at."""
        self._complain(Problem(place, what, remedy, Severity.LOOK, line))

    def unused(self) -> tuple[str, ...]:
        """Answers that no question asked for."""
        return tuple(sorted(self.given.keys() - self.used))


def _chosen(answer: str, choices: tuple[str, ...], accept: Callable[[str], bool] | None) -> str | None:
    """The answer as the choice writes it, or the free answer if it is understood."""
    for choice in choices:
        if not choice.startswith("<") and answer.casefold() == choice.casefold():
            return choice
    if accept is not None:
        return answer if answer and accept(answer) else None
    return answer if answer and not choices else None

"""Numbers and names as people say them: sentences of findings, chances, dates, doses, strength.

Every word comes from `knowledge/languages`; nothing here knows what a number means for a patient.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from ranvier.decision.nouns import Assessment, Measure, Posterior, Regimen
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.findings import Fact, Finding

MINUS = "\N{MINUS SIGN}"
_KINDS = ("action", "basis", "class", "limit", "route", "seen", "side", "status", "unit")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_SERIES = re.compile(r"\[(.*?)\]")
_Z90 = 1.6448536269514722  # standard normal quantile of a two-sided 90 % range

KNOWN = ("says", "why", "instead", "stop", "do")
"""Names of facts that hold a sentence of the knowledge."""


@lru_cache(maxsize=4)
def language(code: str) -> Mapping[str, Any]:
    """The sentences of one language, by its code, as nested mappings; a sentence that it lacks is taken from English."""
    text = files("ranvier.knowledge").joinpath("languages", f"{code}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded if code == "en" else _over(language("en"), loaded)


@lru_cache(maxsize=4)
def said_in(code: str) -> Mapping[str, str]:
    """English sentences of the knowledge and how they read in that language; empty for English."""
    file = files("ranvier.knowledge").joinpath("languages", "said", f"{code}.yaml")
    if not file.is_file():
        return {}
    loaded: dict[str, str] = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def retold(thing: Any, words: Words) -> Any:
    """The same answer with every sentence of the knowledge in the language of the words; codes stay as they are."""
    table = said_in(words.code)
    return _retold(thing, table, {}) if table else thing


def _retold(thing: Any, table: Mapping[str, str], done: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(thing, str):
        return table.get(thing, thing) if type(thing) is str else thing
    if id(thing) in done:
        return done[id(thing)][1]
    told = thing
    if isinstance(thing, tuple) and type(thing) is tuple:
        told = tuple(_retold(part, table, done) for part in thing)
    elif isinstance(thing, Mapping):
        told = {name: _retold(part, table, done) for name, part in thing.items()}
    elif is_dataclass(thing) and not isinstance(thing, type):
        parts = {f.name: _retold(getattr(thing, f.name), table, done) for f in fields(thing) if f.init}
        changed = {name: part for name, part in parts.items() if part is not getattr(thing, name)}
        told = replace(thing, **changed) if changed else thing
    done[id(thing)] = (thing, told)  # kept, so that no other object gets its id
    return told


def languages() -> tuple[str, ...]:
    """Codes of the languages that reports can be written in."""
    folder = files("ranvier.knowledge").joinpath("languages")
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(n.removesuffix(".yaml") for n in names if re.fullmatch(r"[a-z]{2}\.yaml", n)))


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        known = merged.get(name)
        merged[name] = _over(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return merged


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, never in exponent form; a real minus sign."""
    if not math.isfinite(value):
        return "not known"
    text = np.format_float_positional(value, precision=digits, fractional=False, trim="-")
    return str(text).replace("-", MINUS)


def brief(value: float) -> str:
    """A difference with two significant digits, and never less than its whole part: "6.2", "35", "0.86", "117"."""
    return number(value, max(2, len(str(int(abs(round(value)))))))


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; a real minus sign, and no minus before a zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def decimals_known(widths: Sequence[float]) -> int:
    """Decimals worth showing when the narrowest 90 % range is so wide: one below a width of 2, else none."""
    return 1 if min((w for w in widths if math.isfinite(w)), default=math.inf) < 2.0 else 0


def simulation_range(p: float, draws: int) -> tuple[float, float]:
    """90 % range of a share `p` counted in so many draws (Wilson 1927): the error of simulating, nothing else."""
    z2 = _Z90**2
    centre = (p + z2 / (2 * draws)) / (1 + z2 / draws)
    half = _Z90 * math.sqrt(p * (1 - p) / draws + z2 / (4 * draws**2)) / (1 + z2 / draws)
    return max(0.0, centre - half), min(1.0, centre + half)


class Words:
    """One language together with the names of what is known (products, scales).

    Parameters
    ----------
    knowledge : gives products, scales and populations their names
    code : which file of `knowledge/languages`
    assessment : gives this person's measures and options their names
    """

    def __init__(self, knowledge: Knowledge, code: str = "en", assessment: Assessment | None = None) -> None:
        self.knowledge = knowledge
        self.texts = language(code)
        self.code = code
        self._sentences: dict[str, str] = {
            name: text for room in self.texts["findings"].values() for name, text in (room or {}).items()
        }
        self._formatter = _Sentence(self)
        posterior = assessment.treatment.posterior if assessment else None
        proposal = assessment.treatment.proposal if assessment else None
        self._series = {m.id: self.measure(m) for m in posterior.measures} if posterior else {}
        self._options = {o.id: self.plan(o.regimen) for o in proposal.options} if proposal else {}

    # ---- what is known ------------------------------------------------------------------------------------------------

    def known(self, text: str) -> str:
        """A sentence of the knowledge in this language; as it stands where it was not translated, or changed since."""
        return said_in(self.code).get(text, text)

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def decimals(self, text: str) -> str:
        """A number that was written with a point, with the decimal sign of the language. For numbers only."""
        sign = str(self.texts["calendar"]["decimal"])
        return text if sign == "." else _POINT.sub(sign, text)

    def number(self, value: float, digits: int = 3) -> str:
        """As `number`, with the decimal sign of the language."""
        return self.decimals(number(value, digits)) if math.isfinite(value) else self.unknown

    def fixed(self, value: float, decimals: int) -> str:
        """As `fixed`, with the decimal sign of the language."""
        return self.decimals(fixed(value, decimals))

    # ---- names ---------------------------------------------------------------------------------------------------

    def word(self, kind: str, name: str | None) -> str:
        """The word for a name of that kind; the name itself, made readable, where the language has none."""
        if name is None:
            return self.unknown
        found = self.texts.get(kind, {}).get(name)
        return str(found) if found is not None else name.replace("_", " ")

    def text(self, section: str, name: str, /, **facts: Any) -> str:
        """A fixed sentence of the report with its blanks filled; what the knowledge says, in this language."""
        told = {
            key: self.known(fact) if key in KNOWN and isinstance(fact, str) else fact for key, fact in facts.items()
        }
        return str(self.texts[section][name]).format(**told)

    @property
    def unknown(self) -> str:
        """How an absent fact reads."""
        return str(self.texts["ui"]["unknown"])

    def product(self, product_id: str) -> str:
        """The name of a product; its id where the product is not on file."""
        product = self.knowledge.products.get(product_id)
        return product.name if product else product_id

    def unit(self, unit: str) -> str:
        """A unit as people write it."""
        return self.word("unit", unit) if unit in self.texts["unit"] else unit

    def strength_unit(self, unit: str) -> str:
        """The unit of a strength as people write it."""
        return str(self.texts["strength_unit"].get(unit, self.unit(unit)))

    def measure(self, measure: Measure) -> str:
        """Like "right grip", "MRC sum": the measure with its side."""
        name = self.word("measure", measure.measure)
        return self.text("ui", "sided", side=self.word("side", measure.side), measure=name) if measure.side else name

    def device(self, measure: Measure) -> str | None:
        """The name of the device or variant, where one is on file."""
        if measure.device is None:
            return None
        scale = self.knowledge.scales.get(measure.device)
        return scale.name if scale else measure.device

    # ---- findings ------------------------------------------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether the language has a sentence for a finding of this name."""
        return name in self._sentences

    def say(self, finding: Finding) -> str:
        """The sentence of a finding. A name without a sentence is spelt out with its facts, so nothing is lost."""
        template = self._sentences.get(finding.name)
        if template is not None:
            said = self._formatter.vformat(template, (), {**finding.facts, **self._said(finding)}).strip()
            return said[:1].upper() + said[1:]
        name = finding.name.replace(".", ": ").replace("_", " ")
        facts = ", ".join(f"{key.replace('_', ' ')} {self.fact(value)}" for key, value in finding.facts.items())
        return f"{name[:1].upper()}{name[1:]}" + (f" ({facts})." if facts else ".")

    def bound(self, finding: Finding) -> str:
        """A limit in short, for a list: "dose in one day (at most 1 g/kg)"."""
        said = self._said(finding)
        most = self.texts["ui"]["at_most" if finding.facts.get("at_most") else "at_least"]
        what = self.word("limit", str(finding.facts.get("what")))
        return self.text("options", "unchecked_part", what=what, bound=f"{most} {said.get('bound_said', '')}".strip())

    def series(self, series: str) -> str:
        """The measure of this id in words; the id, made readable, where it is not one that was fitted."""
        return self._series.get(series, series.replace("_", " "))

    def option(self, option: str) -> str:
        """The plan of the option of this id; the id where it is not shown."""
        return self._options.get(option, option.replace("-", " "))

    def parameter(self, name: str) -> str:
        """A parameter in words: "largest effect, right grip" for ``imax[grip-right]``, with what of it and whose."""
        series = _SERIES.search(name)
        parts = _SERIES.sub("", name).split(".")
        kinetics = {p.id for p in self.knowledge.composite.kinetics} | self.knowledge.populations.keys()
        whose = parts.pop(0) if parts[0] in kinetics and len(parts) > 1 else None
        if series is None and len(parts) > 1 and parts[1] in self._series:
            series_id, parts = parts[1], [parts[0], *parts[2:]]
        else:
            series_id = series.group(1) if series else ""
        said = [self.word("parameter", parts[0]), *([self.series(series_id)] if series_id else [])]
        said += [part.replace("_", " ") for part in parts[1:]]
        return ", ".join(said) + (f" ({whose})" if whose else "")

    def population(self, population: str) -> str:
        """The title of a published model."""
        known = self.knowledge.populations.get(population)
        return known.title if known else population

    def _said(self, finding: Finding) -> dict[str, str]:
        """Every number of a finding together with the finding's unit, as `name_said`."""
        unit = finding.facts.get("unit")
        if not isinstance(unit, str):
            return {}
        share = unit == "1" and str(finding.facts.get("what", "")).endswith("_step")
        return {
            f"{name}_said": self.percent(float(value))
            if share
            else f"{self.number(float(value))} {self.unit(unit)}".strip()
            for name, value in finding.facts.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }

    def fact(self, value: Fact | object) -> str:
        """A fact of unknown kind, as text."""
        if value is None:
            return self.unknown
        if isinstance(value, bool):
            return str(self.texts["ui"]["yes" if value else "no"])
        if isinstance(value, float):
            return self.number(value)
        return str(value)

    # ---- chances -------------------------------------------------------------------------------------------------

    def odds(self, p: float) -> str:
        """Like "about 9 in 10": a chance in words; never none and never sure."""
        texts = self.texts["chance"]
        if p < 0.01:
            return str(texts["few"])
        if p < 0.035:
            return str(texts["fiftieth"])
        if p < 0.075:
            return str(texts["twentieth"])
        if p <= 0.925:
            return str(texts["tenths"]).format(n=round(p * 10))
        if p <= 0.965:
            return str(texts["twentieth_most"])
        if p < 0.99:
            return str(texts["fiftieth_most"])
        return str(texts["most"])

    def per_cent(self, p: float) -> str:
        """A chance as "86 %", kept away from 0 and 100."""
        if p < 0.01:
            return str(self.texts["chance"]["exact_none"])
        if p > 0.99:
            return str(self.texts["chance"]["exact_sure"])
        return f"{round(p * 100)} %"

    def chance(self, p: float, draws: int | None = None) -> str:
        """Like "about 9 in 10 (86-93 %)": the range is the simulation's own error, given where the draws are known."""
        if not 0.01 <= p <= 0.99:
            return self.odds(p)  # "fewer than 1 in 100": a per cent beside it says nothing more
        if draws is None:
            return f"{self.odds(p)} ({self.per_cent(p)})"
        low, high = (max(1, min(99, round(100 * q))) for q in simulation_range(p, draws))
        shown = f"{low} %" if low == high else f"{low}–{high} %"
        return f"{self.odds(p)} ({shown})"

    def likely(self, p: float) -> str:
        """The adverb for a chance of at least one half."""
        for step in self.texts["likelihood"]:
            if p >= float(step["from"]):
                return str(step["word"])
        return str(self.texts["likelihood"][-1]["word"])

    # ---- days and doses ------------------------------------------------------------------------------------------

    def date(self, day: date) -> str:
        """Like "Tue 3 Mar 2026"."""
        calendar = self.texts["calendar"]
        return str(calendar["date"]).format(
            weekday=calendar["weekdays"][day.weekday()],
            day=day.day,
            month=calendar["months"][day.month - 1],
            year=day.year,
        )

    def date_of(self, posterior: Posterior, day: float) -> str:
        """The date of a day counted from the first fact."""
        return self.date(date.fromisoformat(posterior.origin) + timedelta(days=math.floor(day)))

    def grams(self, grams: float) -> str:
        """Like "82.5 g"."""
        return f"{self.number(grams, 4)} g"

    def vials(self, regimen: Regimen) -> str:
        """Like "2 × 30 g + 1 × 10 g"; empty where the vials are not known."""
        return " + ".join(f"{count} × {self.number(size)} g" for size, count in regimen.vials if count)

    def dose(self, regimen: Regimen) -> str:
        """Like "80 g", and over how many days if not one."""
        if regimen.days <= 1:
            return self.grams(regimen.grams)
        return f"{self.grams(regimen.grams)} {self.text('ui', 'over_days', days=regimen.days)}"

    def plan(self, regimen: Regimen) -> str:
        """Like "60 g every 21 days"; no treatment at all is named as such."""
        if regimen.route == "none" or regimen.grams <= 0:
            return str(self.texts["ui"]["no_treatment"])
        return f"{self.dose(regimen)} {self.every(regimen.interval_days)}"

    def every(self, interval_days: float) -> str:
        """Like "every 28 days"."""
        return (
            self.text("ui", "every_day")
            if interval_days == 1
            else self.text("ui", "every", days=self.number(interval_days))
        )

    def days(self, n: int) -> str:
        """Like "1 day", "28 days"."""
        return self.text("ui", "day") if n == 1 else self.text("ui", "days", n=n)

    def strength(self, value: float, unit: str, decimals: int = 0) -> str:
        """A strength with its unit; as many decimals as are known."""
        return f"{self.fixed(value, decimals)} {self.strength_unit(unit)}".strip()

    def band(self, low: float, high: float, decimals: int) -> str:
        """Like "7-9": a range."""
        return f"{self.fixed(low, decimals)}–{self.fixed(high, decimals)}"

    def percent(self, fraction: float, decimals: int = 0) -> str:
        """A fraction as "12 %"."""
        return f"{self.fixed(100 * fraction, decimals)} %"


def _signed(words: Words, value: Any) -> str:
    text = brief(float(value))
    said = words.decimals(text)
    return said if text.startswith(MINUS) or float(text.replace(MINUS, "-")) == 0 else f"+{said}"


def _points(words: Words, value: Any) -> str:
    return f"{_signed(words, round(100 * float(value)))} {words.texts['ui']['percentage_points']}"


def _saved(words: Words, value: Any) -> str:
    if abs(float(value)) < 0.05:
        return str(words.texts["ui"]["difference_none"])
    name = "difference_less" if float(value) > 0 else "difference_more"
    return words.text("ui", name, x=words.decimals(brief(abs(float(value)))))


_NAMED: dict[str, Callable[[Words, Any], str]] = {
    "measure": lambda words, value: words.word("measure", str(value)),
    "series": lambda words, value: words.series(str(value)),
    "option": lambda words, value: words.option(str(value)),
    "options": lambda words, value: ", ".join(words.option(one) for one in str(value).split(", ")),
    "population": lambda words, value: words.population(str(value)),
    "responds": lambda words, value: str(words.texts["ui"]["responds" if value else "no_response"]),
    "most": lambda words, value: str(words.texts["ui"]["at_most" if value else "at_least"]),
    "upto": lambda words, value: words.text("ui", "to", x=words.percent(float(value))),
    "words": lambda words, value: str(value).replace("_", " ").replace(".", ", "),
    "parameter": lambda words, value: words.parameter(str(value)),
    "share": lambda words, value: words.per_cent(float(value)),
    "list": lambda words, value: str(value),
    "signed": _signed,
    "points": _points,
    "saved": _saved,
}


class _Sentence(string.Formatter):
    """`str.format` that knows our ways of writing a fact and does not stumble over an absent one."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = kwargs.get(str(key))
        return self.words.known(value) if key in KNOWN and isinstance(value, str) else value

    def format_field(self, value: Any, format_spec: str) -> str:
        words = self.words
        if value is None:
            absent = {"upto": "or_more", "list": "none"}.get(format_spec, "unknown")
            return str(words.texts["ui"][absent])
        if format_spec == "chance":
            return words.odds(float(value))
        if format_spec == "percent":
            return words.percent(float(value))
        if format_spec == "date":
            return words.date(date.fromisoformat(str(value)[:10]))
        if format_spec == "product":
            return words.product(str(value))
        if format_spec in _NAMED:
            return _NAMED[format_spec](words, value)
        if format_spec in _KINDS:
            return words.word(format_spec, str(value))
        if not format_spec:
            return words.fact(value)
        try:
            said = str(format(value, format_spec)).replace("-", MINUS)
            return words.decimals(said) if value == value else words.unknown
        except (TypeError, ValueError):
            return words.fact(value)

"""What registries of trials and papers answer, as frozen nouns. Whatever cannot be read is said; the rest is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ranvier.evidence.nouns import Knowledge
from ranvier.ground.notes import Problem, Severity

LONGEST = 400  # letters of one text that is kept


@dataclass(frozen=True, slots=True)
class Trial:
    """A study of a registry. changed : day of its last update as the registry writes it (year, month or day)."""

    id: str
    title: str
    status: str
    phases: tuple[str, ...]
    people: int | None
    interventions: tuple[str, ...]
    primary: tuple[str, ...]
    sponsor: str | None
    changed: str | None
    results: bool
    stopped: str | None  # why, where it was stopped


@dataclass(frozen=True, slots=True)
class Paper:
    """A publication."""

    id: str
    title: str
    authors: str | None
    journal: str | None
    published: str | None
    doi: str | None
    pmid: str | None


@dataclass(frozen=True, slots=True)
class New:
    """What registries hold since a day, beside what knowledge knows already. Nothing here changes knowledge.

    trials, papers : not known here; changed : trials that knowledge names, updated since; known : papers already cited
    """

    since: date
    trials: tuple[Trial, ...]
    changed: tuple[Trial, ...]
    papers: tuple[Paper, ...]
    known: int
    problems: tuple[Problem, ...]


def read_trials(pages: Iterable[bytes]) -> tuple[tuple[Trial, ...], tuple[Problem, ...]]:
    """Studies out of raw pages of ClinicalTrials.gov, each once."""
    found: dict[str, Trial] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(pages, start=1):
        for index, study in enumerate(_list(raw, ("studies",), f"page {number}", problems)):
            section = _map(_map(study).get("protocolSection"))
            identity, status = _map(section.get("identificationModule")), _map(section.get("statusModule"))
            id_ = identity.get("nctId")
            if not isinstance(id_, str) or not re.fullmatch(r"NCT\d{8}", id_):
                problems.append(_look(f"page {number}, study {index + 1}", "has no NCT number", "Left out."))
                continue
            design, outcomes = _map(section.get("designModule")), _map(section.get("outcomesModule"))
            arms, sponsors = (
                _map(section.get("armsInterventionsModule")),
                _map(section.get("sponsorCollaboratorsModule")),
            )
            count = _map(design.get("enrollmentInfo")).get("count")
            found[id_] = Trial(
                id=id_,
                title=_text(identity.get("briefTitle")) or _text(identity.get("officialTitle")) or "no title",
                status=_text(status.get("overallStatus")) or "unknown",
                phases=_texts(design.get("phases")),
                people=count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**7 else None,
                interventions=_texts([_map(i).get("name") for i in _items(arms.get("interventions"))]),
                primary=_texts([_map(o).get("measure") for o in _items(outcomes.get("primaryOutcomes"))]),
                sponsor=_text(_map(sponsors.get("leadSponsor")).get("name")),
                changed=_text(_map(status.get("lastUpdatePostDateStruct")).get("date")),
                results=_map(study).get("hasResults") is True,
                stopped=_text(status.get("whyStopped")),
            )
    return tuple(found.values()), tuple(problems)


def read_papers(pages: Iterable[bytes]) -> tuple[tuple[Paper, ...], tuple[Problem, ...]]:
    """Papers out of raw pages of Europe PMC, each once."""
    found: dict[str, Paper] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(pages, start=1):
        for index, item in enumerate(_list(raw, ("resultList", "result"), f"page {number}", problems)):
            entry = _map(item)
            title, id_ = _text(entry.get("title")), _text(entry.get("id"))
            if title is None or id_ is None:
                problems.append(_look(f"page {number}, paper {index + 1}", "has no title or no id", "Left out."))
                continue
            pmid, doi = _text(entry.get("pmid")), _text(entry.get("doi"))
            found[f"{_text(entry.get('source')) or ''}{id_}"] = Paper(
                id=id_,
                title=re.sub(r"<[^>]{1,20}>", "", title),
                authors=_text(entry.get("authorString")),
                journal=_text(entry.get("journalTitle")),
                published=_text(entry.get("firstPublicationDate")) or _text(entry.get("pubYear")),
                doi=doi if doi and re.fullmatch(r"10\.\d{4,9}/\S+", doi) else None,
                pmid=pmid if pmid and re.fullmatch(r"[1-9]\d{0,7}", pmid) else None,
            )
    return tuple(found.values()), tuple(problems)


def compare(
    trials: Iterable[Trial], papers: Iterable[Paper], knowledge: Knowledge, since: date, problems: tuple[Problem, ...]
) -> New:
    """What is new beside what knowledge names already: trials by their number, papers by DOI or PubMed number."""
    told = [source.citation for source in knowledge.sources.values()]
    told += [one.says for it in knowledge.treatments.values() for one in (*it.trials, *it.harms)]
    named = set(re.findall(r"NCT\d{8}", " ".join(told)))
    dois = {source.doi.casefold() for source in knowledge.sources.values() if source.doi}
    pmids = {source.pmid for source in knowledge.sources.values() if source.pmid}
    every, listed = list(trials), list(papers)
    fresh = [p for p in listed if not ((p.doi and p.doi.casefold() in dois) or (p.pmid and p.pmid in pmids))]
    return New(
        since=since,
        trials=tuple(t for t in every if t.id not in named),
        changed=tuple(t for t in every if t.id in named),
        papers=tuple(sorted(fresh, key=lambda p: p.published or "", reverse=True)),
        known=len(listed) - len(fresh),
        problems=problems,
    )


def as_source(paper: Paper) -> str:
    """A paper as lines for knowledge/evidence/sources.yaml, for a person who has read it to complete and paste."""
    name = re.sub(r"[^a-z]", "", (paper.authors or "unknown").split()[0].casefold()) or "unknown"
    year = (paper.published or "0000")[:4]
    who = (paper.authors or "").split(",")[0].strip()
    citation = f"{who} et al. {paper.title.rstrip('.')}. {paper.journal or ''} {year}".replace('"', "'").replace(
        "\\", " "
    )
    lines = [f"  {name}{year}:", f'    citation: "{" ".join(citation.split())}"']
    lines += [f"    doi: {paper.doi}"] if paper.doi else []
    lines += [f'    pmid: "{paper.pmid}"'] if paper.pmid else []
    return "\n".join([*lines, "    kind: study  # or: trial, cohort, review, guideline"])


def _list(raw: bytes, path: tuple[str, ...], place: str, problems: list[Problem]) -> list[Any]:
    """The list at `path` of a page; empty after a problem."""
    try:
        here: Any = json.loads(raw)
        for step in path:
            here = here[step] if isinstance(here, dict) and step in here else None
    except (ValueError, RecursionError):
        here = None
    if not isinstance(here, list):
        what = f"has no list '{'.'.join(path)}'"
        problems.append(_look(place, what, "Left out; the registry may have changed its form."))
        return []
    return here


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """A text on one line, without control characters, not too long; None if it is none."""
    if not isinstance(value, str):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return (line if len(line) <= LONGEST else line[: LONGEST - 1] + "…") or None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for item in _items(value) if (text := _text(item)))


def _look(place: str, what: str, remedy: str) -> Problem:
    return Problem(place, what, remedy, Severity.LOOK)

"""What is it? The rooms of the left wing called in order, and what they say gathered into one answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ranvier import diagnosis
from ranvier.anatomy.load import load as load_anatomy
from ranvier.anatomy.localise import localise
from ranvier.anatomy.nouns import Anatomy, Examination
from ranvier.anatomy.picture import body
from ranvier.conduction.find import find_blocks
from ranvier.conduction.nouns import Conduction, StudySet
from ranvier.conduction.read import from_record
from ranvier.decision.diagnosed import Diagnosis
from ranvier.evidence.nouns import Knowledge
from ranvier.ground.notes import InputError, Problem
from ranvier.record.nouns import Record
from ranvier.record.until import until


def diagnose(
    record: Record,
    knowledge: Knowledge,
    *,
    at: date,
    setting: diagnosis.Setting | None = None,
    trial: diagnosis.Trial | None = None,
) -> Diagnosis:
    """Which nerves, is there block, is it MMN, what else, what next. Calls no clock and no network.

    Parameters
    ----------
    knowledge : gives the answer its version; each room of this wing loads its own folder of it
    at : facts later than this day are left out
    setting : whose priors to use; left out, those of a neuromuscular clinic
    trial : treatment as evidence, where the other wing has something to say

    Raises
    ------
    InputError : the examination or a nerve study of the record cannot be read; with every place and remedy
    """
    then, _ = until(record, at)
    book, body = diagnosis.load(), load_anatomy()
    studies, (examined, problems) = _both_read(then, body, at)
    on_tree = diagnosis.site_evidence(book, body, studies)
    # Twice: the judgement counts the nerve studies by themselves, so its pattern must come from the examination alone.
    pattern = None if examined is None else localise(examined, body)
    shown = pattern if examined is None or not on_tree else localise(examined, body, conduction=on_tree)
    known = diagnosis.Known(
        record=then,
        at=at,
        examination=examined,
        localisation=pattern,
        limbs=diagnosis.limbs_of(body),
        studies=studies,
        trial=trial or diagnosis.Trial(),
    )
    return Diagnosis(
        at=at,
        pseudonym=record.person.pseudonym,
        invented=record.invented,
        record_digest=record.digest,
        knowledge_version=knowledge.version,
        localisation=shown,
        conduction=studies,
        judgement=diagnosis.judge(book, known, setting),
        problems=(*problems, *(p for study in studies for p in study.studies.problems)),
        examination=examined,
    )


def _both_read(
    record: Record, body: Anatomy, at: date
) -> tuple[tuple[Conduction, ...], tuple[Examination | None, tuple[Problem, ...]]]:
    """Nerve studies and the latest examination. Raises InputError with the faults of both, in the order of the record."""
    faults: list[Problem] = []
    examined: tuple[Examination | None, tuple[Problem, ...]] = (None, ())
    sets: tuple[StudySet, ...] = ()
    try:
        examined = diagnosis.examination_of(record, body, at)
    except InputError as error:
        faults += error.problems
    try:
        sets = from_record(record)
    except InputError as error:
        faults += error.problems
    if faults:
        raise InputError("This record cannot be judged yet.", tuple(faults))
    return tuple(find_blocks(study) for study in sets if study.on is None or study.on <= at), examined


def body_of(found: Diagnosis, *, stacked: bool, key: str) -> str | None:
    """The body with grades and nerves as SVG; None where no strength was graded. See `ranvier.anatomy.picture.body`."""
    if found.examination is None or found.localisation is None or not found.examination.findings:
        return None
    return body(found.examination, found.localisation, load_anatomy(), stacked=stacked, key=key)


def setting_of(name: str | None, priors: Mapping[str, float]) -> diagnosis.Setting:
    """The setting of that name (None: the usual one) with some priors replaced. Raises InputError with every fault."""
    return diagnosis.with_priors(diagnosis.load(), name or diagnosis.DEFAULT_SETTING, priors)


def computed() -> frozenset[str]:
    """Findings that are worked out where the record holds what they are made from; stating them is for when it does not."""
    return frozenset(q.id for q in diagnosis.load().questions.values() if q.derived)


def catalogue() -> tuple[tuple[str, str, str], ...]:
    """Every finding that a record can state: name, words, kind; sorted by kind as the catalogue has them."""
    questions = [q for q in diagnosis.load().questions.values() if q.reported]
    kinds = list(dict.fromkeys(q.kind for q in questions))
    return tuple((q.id, q.says, q.kind) for q in sorted(questions, key=lambda q: kinds.index(q.kind)))

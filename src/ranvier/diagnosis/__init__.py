"""Diagnosis: is it MMN, what else, what next?

In: findings of a record, of `anatomy` and of `conduction`; criteria. Out: `Judgement`: class, reasons, what is unknown, what
else it could be, what to examine next. Verb: `judge`. Must not know drugs.
"""

from ranvier.diagnosis.examined import examination_of, limbs_of
from ranvier.diagnosis.facts import Known, Trial
from ranvier.diagnosis.judge import DEFAULT_SETTING, judge
from ranvier.diagnosis.load import load, with_priors
from ranvier.diagnosis.nouns import Setting
from ranvier.diagnosis.tree import site_evidence

__all__ = [
    "DEFAULT_SETTING",
    "Known",
    "Setting",
    "Trial",
    "examination_of",
    "judge",
    "limbs_of",
    "load",
    "site_evidence",
    "with_priors",
]

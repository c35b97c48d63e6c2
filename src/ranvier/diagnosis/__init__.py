"""Diagnosis: is it MMN, what else, what next?

In: findings of a record, of `anatomy` and of `conduction`; criteria. Out: `Judgement`: class, reasons, what is unknown, what
else it could be, what to examine next. Verb: `judge`. Must not know drugs.
"""

from ranvier.diagnosis.facts import Known, Trial
from ranvier.diagnosis.judge import DEFAULT_SETTING, judge
from ranvier.diagnosis.load import load, with_priors

__all__ = ["DEFAULT_SETTING", "Known", "Trial", "judge", "load", "with_priors"]

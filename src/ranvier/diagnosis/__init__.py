"""Diagnosis: is it MMN, what else, what next?

In: findings, criteria. Out: `Judgement`: class, reasons, what is unknown, what to examine next. Verb: `judge`.
Must not know drugs.
"""

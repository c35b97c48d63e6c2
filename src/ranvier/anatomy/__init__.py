"""Anatomy: which nerves do these weak muscles point to?

In: `Examination`, innervation map. Out: sites ranked, with reasons. Verb: `localise`.
Must not know criteria, nor treatment.
"""

from ranvier.anatomy.load import load
from ranvier.anatomy.localise import localise
from ranvier.anatomy.read import read_findings, read_text

__all__ = ["load", "localise", "read_findings", "read_text"]

"""The record: what somebody saw, measured or gave on a day.

In: a case file (YAML or JSON). Out: a `Record`, or the problems that say what to mend. Verb: `read`.
`dump` writes a plain dict in the file format as readable text. Must not know what the facts mean.
"""

from ranvier.record.decisions import agreed, as_data, last_agreed
from ranvier.record.dump import dump
from ranvier.record.read import read, read_text
from ranvier.record.until import before_decision

__all__ = ["agreed", "as_data", "before_decision", "dump", "last_agreed", "read", "read_text"]

"""The record: what somebody saw, measured or gave on a day.

In: a case file (YAML or JSON). Out: a `Record`, or the problems that say what to mend. Verb: `read`.
`dump` writes a plain dict in the file format as readable text. Must not know what the facts mean.
"""

from ranvier.record.dump import dump
from ranvier.record.read import read, read_text

__all__ = ["dump", "read", "read_text"]

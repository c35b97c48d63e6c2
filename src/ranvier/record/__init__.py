"""The record: what somebody saw, measured or gave on a day.

In: a case file (YAML or JSON). Out: a `Record`, or the problems that say what to mend. Verb: `read`.
Must not know what the facts mean.
"""

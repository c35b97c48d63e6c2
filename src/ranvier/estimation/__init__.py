"""Estimation: from a population and a history to this person.

In: `Record`, populations, a day and a seed. Out: `Posterior` with its basis and misfits. Verb: `estimate`.
Must not know which regimen will be chosen.
"""

from ranvier.estimation.posterior import estimate

__all__ = ["estimate"]

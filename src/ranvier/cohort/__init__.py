"""Cohort: from a population to virtual people, what is done to them, and what becomes of them.

Takes a population, a policy, a design and a seed; gives outcomes with their Monte-Carlo error. It must not know a real person.

A policy is anything with an `id`, `steady` and `decide(seen, day) -> Order` (`nouns.Policy`): a pure function of what a clinic
has seen (`nouns.Seen`: infusions as written down, grip, IgG, floor, the regimen in force, its own earlier orders). `Order` holds
the regimen for the next course and those after it; `none(every)` is no treatment; `abstains=True` says that it cannot tell and
leaves all as it is; `why` is a word for tables; whatever it wants to remember goes into `memo` and comes back in `seen.orders`.
`policies.record_of(seen, knowledge)` gives the same as a `Record`, for policies made of the engine's own rooms.

To add a policy: write the class, and add one line to `policies.POLICIES` (name → how to make it from knowledge and book). Then

    ranvier cohort simulate --policy NAME --truth TRUTH --people 500 --out outcomes.parquet

or, in Python, `draw(...)`, `setting(...)`, `simulate(people, policy, knowledge, book, where, seed=1)`: the same seed gives the
same people, with the same delays, missing days and errors, under every policy.
"""

from ranvier.cohort.load import Book, load
from ranvier.cohort.nouns import OUTCOMES, Order, Outcomes, People, Policy, Seen, none
from ranvier.cohort.people import draw, populations
from ranvier.cohort.policies import POLICIES, make, record_of
from ranvier.cohort.simulate import Setting, setting, simulate

__all__ = [
    "OUTCOMES",
    "POLICIES",
    "Book",
    "Order",
    "Outcomes",
    "People",
    "Policy",
    "Seen",
    "Setting",
    "draw",
    "load",
    "make",
    "none",
    "populations",
    "record_of",
    "setting",
    "simulate",
]

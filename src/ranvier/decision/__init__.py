"""Decision: the join. Calls the other rooms in order and computes nothing itself.

In: `Record`, `Knowledge`, `Limits`, a day and a seed. Out: `Assessment`. Verb: `assess`.
Must not know any number, formula or unit.
"""

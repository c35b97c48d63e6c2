"""Anatomy: which nerves do these weak muscles point to?

In: `Examination`, innervation map. Out: sites ranked, with reasons. Verb: `localise`.
Must not know criteria, nor treatment.
"""

"""Exchange: other people's formats into our nouns and back.

In: a diary, a pharmacy's list, a laboratory's table, a NONMEM file. Out: facts, or questions for a person.
Must not know any decision.
"""

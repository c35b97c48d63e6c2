"""Conduction: waves and block.

In: `ConductionStudy`, block rules. Out: findings per segment. Verb: `find_blocks`.
Must not know criteria, nor treatment.
"""

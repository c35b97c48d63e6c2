"""What papers, labels and guidelines say: loads `knowledge/` into frozen nouns with source, place and status.

In: files of `ranvier.knowledge`. Out: `Knowledge`. Verb: `load`.
Must not know any patient.
"""

from ranvier.evidence.load import load

__all__ = ["load"]

"""Report: words, tables, pictures.

In: `Assessment`, a language. Out: text, HTML, JSON. Verb: `write`.
Must not know any clinical rule.
"""

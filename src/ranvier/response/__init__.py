"""Response: from IgG above the person's own level to strength.

In: IgG, parameters. Out: strength relative to its untreated level. Verb: `respond`.
Must not know which product gave the IgG.
"""

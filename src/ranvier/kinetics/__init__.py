"""Kinetics: doses to IgG above the person's own level.

In: doses, parameters, days. Out: IgG [g/L]. Verb: `expose`.
Must not know strength, nor the patient's name.
"""

"""Regimen: what could we do, and what would it do?

In: `Posterior`, products, limits, the person's goals. Out: `Proposal`, options side by side. Verb: `propose`.
Must not know the diagnosis.
"""

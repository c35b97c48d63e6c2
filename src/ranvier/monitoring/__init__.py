"""Monitoring: is strength falling, within a cycle or over the years?

In: `Posterior` and the regimen in force. Out: `Watch`. Verb: `watch`.
Must not know why the dose was chosen.
"""

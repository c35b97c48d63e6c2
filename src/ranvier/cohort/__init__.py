"""Cohort: from a population to virtual people, what is done to them, and what becomes of them.

Takes a population, a policy, a design and a seed; gives outcomes with their Monte-Carlo error. It must not know a real person.
"""

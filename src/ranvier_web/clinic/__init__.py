"""Clinic: patients, their facts, what was assessed and decided, and the pages on which that is seen and done."""

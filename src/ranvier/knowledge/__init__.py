"""Data only: what we believe, with sources. No code lives here."""

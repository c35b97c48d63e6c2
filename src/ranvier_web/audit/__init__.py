"""Audit: who did what, when; each row carries the hash of the one before. Nothing here can be changed."""

"""Diary: the page of the person who has the disease."""

"""Formats by language, for Django."""

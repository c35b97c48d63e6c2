"""Conduction: studies drawn as tables, findings read back as words."""

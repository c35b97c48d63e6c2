"""How Django writes a bare value."""

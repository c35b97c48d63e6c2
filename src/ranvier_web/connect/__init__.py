"""Connect: what other programs ask of us and tell us."""

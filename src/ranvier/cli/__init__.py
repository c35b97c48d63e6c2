"""The command line: a thin door. Parses words, calls a room, prints what comes back."""

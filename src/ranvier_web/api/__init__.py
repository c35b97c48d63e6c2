"""The REST interface: what the pages can do, for programs that show a key of an account."""

"""Letters: what is printed, sent or handed over."""

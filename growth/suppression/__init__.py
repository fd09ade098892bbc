"""Which addresses must not be mailed, how people choose, and what providers report about mail."""

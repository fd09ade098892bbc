"""Whether every part of the system works."""

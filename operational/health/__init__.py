"""The health of every component of the system."""

"""Messages to staff: stored as rows first, then sent."""

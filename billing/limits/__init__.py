"""Plans, usage and limits, and the messages about them."""

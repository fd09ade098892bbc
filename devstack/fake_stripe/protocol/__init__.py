"""Routes and parameters."""

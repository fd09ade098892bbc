"""Runs of the data-quality checks and what they found."""

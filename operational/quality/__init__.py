"""Runs of the data-quality checks and their findings."""

"""Measure what Plumbline promises: ratios matter, not seconds."""

"""The figures Plumbline promises, measured: ratios count, not seconds."""

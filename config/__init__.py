"""Wires Plumbline's apps together; no app imports it."""

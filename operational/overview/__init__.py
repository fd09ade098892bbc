"""The dashboard and the pages behind its numbers."""

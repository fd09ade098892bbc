"""Invoices, their lines, metered usage and payments."""

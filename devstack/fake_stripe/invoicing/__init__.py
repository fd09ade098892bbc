"""Invoices, their lines, previews and payments."""

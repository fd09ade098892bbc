"""Erasing persons everywhere, exporting what is stored about them, and receipts of both."""

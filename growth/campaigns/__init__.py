"""Campaigns: e-mails to people about what they can do next."""

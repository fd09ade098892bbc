"""Addresses of pages, and the password to log in with."""

DASHBOARD = "/admin/operational/"
PERSONS = "/admin/analytics/person/"
PASSWORD = "correct horse battery"

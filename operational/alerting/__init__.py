"""Alerts on KPIs and on the system's health."""

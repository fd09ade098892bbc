"""Dates and times as every page shows them: 8 Nov 2026, 14:03."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"

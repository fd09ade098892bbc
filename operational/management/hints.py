"""What commands print if there is no data."""

NO_DATA = (
    "No KPI has data yet. Send events (manage.py project_key prints the key), import a file"
    " (manage.py import_events FILE) or load the demo company (manage.py demo)."
)

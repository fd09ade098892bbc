"""What commands say where there is nothing to work on."""

NO_DATA = (
    "No KPI has data yet. Send events (manage.py project_key prints the key), import a file"
    " (manage.py import_events FILE) or load the demo company (manage.py demo)."
)

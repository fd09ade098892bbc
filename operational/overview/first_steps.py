"""How to bring in the first data, ready to be pasted."""

from analytics.capture import capture
from analytics.capture.snippets import Snippet, sending


def first_steps() -> list[Snippet]:
    """Return ways to bring in data, with this installation's address and default key."""
    return [
        *sending(capture.default_project_key().token),
        Snippet(
            "import",
            "From the past",
            "History as JSON lines or CSV, also gzipped; importing a file twice changes nothing.",
            "python manage.py import_events events.jsonl\npython manage.py backfill_kpis --days 90",
        ),
        Snippet(
            "demo",
            "Just looking",
            "A made-up company, removable with one click.",
            "python manage.py demo",
        ),
    ]

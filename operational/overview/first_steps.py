"""Ways to send the first data, ready to paste."""

from analytics.capture import capture
from analytics.capture.snippets import Snippet, sending_snippets


def first_steps() -> list[Snippet]:
    """Return ways to send data, with this installation's address and default key."""
    return [
        *sending_snippets(capture.ensure_default_project_key().token),
        Snippet(
            "import",
            "Import history",
            "JSON Lines, CSV, and exports of PostHog, Mixpanel, Amplitude and Segment, gzipped or"
            " not; importing a file twice changes nothing.",
            "python manage.py import_events events.jsonl\npython manage.py backfill_kpis --days 90",
        ),
        Snippet(
            "demo",
            "Load demo data",
            "A made-up company that you can remove with one click.",
            "python manage.py demo",
        ),
    ]

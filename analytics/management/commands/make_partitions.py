"""Create the event table's partitions for the months ahead."""

from typing import Any

from django.utils import timezone

from analytics.ingestion import partitions
from common.commands import QuickCommand


class Command(QuickCommand):
    help = (
        "Create the event table's partitions for this month and the next three, like the daily job"
    )

    def handle(self, *_: Any, **__: Any) -> None:
        now = timezone.now()
        partitions.make_ahead(now)
        last = partitions.months_ahead(now)[-1]
        self.stdout.write(f"The event table has partitions up to {last:%B %Y}.")

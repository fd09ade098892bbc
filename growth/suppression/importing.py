"""Importing and exporting the suppression list. An import only adds rows: it lifts none."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from growth.calculations.mail import suppression_file
from growth.calculations.mail.mail_events import SuppressionReason
from growth.calculations.mail.suppression_file import LineError, SuppressionRow
from growth.models import MailTopic, Suppression
from growth.suppression import suppressions

EXPORT_COLUMNS = ["address", "topic", "reason", "source", "at"]
_SOURCE = "import"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would do."""

    added: int
    already_suppressed: int
    errors: Sequence[LineError]


def preview(content: bytes, *, at: datetime) -> ImportResult:
    """Return what importing would do. Raise `suppression_file.NotReadable`."""
    with transaction.atomic():
        result = import_rows(content, at=at)
        transaction.set_rollback(True)
    return result


@transaction.atomic
def import_rows(content: bytes, *, at: datetime) -> ImportResult:
    """Suppress the addresses of a CSV file. Raise `suppression_file.NotReadable`."""
    topics = {topic.slug: topic for topic in MailTopic.objects.all()}
    file = suppression_file.read(content, topics=topics)
    groups: dict[tuple[str, SuppressionReason], list[SuppressionRow]] = defaultdict(list)
    for row in file.rows:
        groups[row.topic, row.reason].append(row)
    added = sum(
        suppressions.add(
            [row.address for row in rows],
            reason,
            source=_SOURCE,
            at=at,
            topic=topics.get(slug),
        )
        for (slug, reason), rows in groups.items()
    )
    return ImportResult(added, len(file.rows) - added, file.errors)


def exported() -> Iterator[Sequence[str]]:
    """Yield the rows in force whose addresses are known, as a file that can be imported again."""
    rows = Suppression.objects.filter(lifted_at=None).exclude(address="").select_related("topic")
    for row in rows.order_by("pk").iterator():
        topic = row.topic.slug if row.topic else ""
        yield [row.address, topic, row.reason, row.source, row.at.isoformat()]

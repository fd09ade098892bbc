"""Export everything that is stored about a person, as JSON, a piece at a time."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.db.models import Model, QuerySet
from django.utils import timezone

from analytics.calculations.compression import decompress_leniently
from analytics.calculations.records import Holds
from analytics.capture import rejections
from analytics.extension_points import exporters
from analytics.models import Event, Group, Person, PersonDay, RejectedEvent
from analytics.people import persons
from analytics.privacy.traces import Traces, traces_of

_ROWS_PER_READ = 2_000

Section = tuple[str, Iterable[Any]]


def export(person: Person) -> Iterator[bytes]:
    """Yield a JSON object with a list for each kind of data; rows are read as they are sent."""
    yield b'{"exported_at":' + _json(timezone.now())
    for name, rows in sections(person):
        yield b"," + _json(name) + b":["
        for index, row in enumerate(rows):
            yield (b"," if index else b"") + _json(row)
        yield b"]"
    yield b"}\n"


def sections(person: Person) -> Iterator[Section]:
    """Yield the kinds of data, each by its name."""
    traces = traces_of([person.pk])
    yield "profile", columns_of(Person.objects.filter(pk=person.pk))
    yield "distinct_ids", columns_of(person.distinct_ids.order_by("pk"))
    yield "active_days", _days(person)
    yield "events", columns_of(Event.objects.filter(person=person).order_by("timestamp"))
    yield "groups", _groups(person)
    yield "exclusions", columns_of(person.exclusions.order_by("pk"))
    yield "merges", columns_of(persons.merges_of(person))
    yield "rejected_events", _rejected(traces)
    for sections_of in exporters:
        yield from sections_of(person.pk)


def columns_of(rows: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Yield the stored columns of rows, by the names of the fields."""
    fields = [field.attname for field in rows.model._meta.concrete_fields]
    return rows.values(*fields).iterator(chunk_size=_ROWS_PER_READ)


def _days(person: Person) -> Iterator[Any]:
    days = PersonDay.objects.filter(person=person).order_by("day")
    return days.values_list("day", flat=True).iterator(chunk_size=_ROWS_PER_READ)


def _groups(person: Person) -> Iterator[dict[str, Any]]:
    for group in persons.groups_of(person):
        stored = Group.objects.filter(pk=group.group_id or 0).first()
        yield {
            "type": group.group_type,
            "key": group.key,
            "properties": stored.properties if stored else {},
        }


def _rejected(traces: Traces) -> Iterator[dict[str, Any]]:
    """Yield single events; whole requests may hold events of others."""
    rows = RejectedEvent.objects.exclude(holds=Holds.REQUEST).order_by("pk")
    for row in rows.iterator(chunk_size=100):
        for _, event in rejections.events_of(row):
            if traces.mentions.in_payload(event):
                payload = decompress_leniently(event).decode(errors="replace")
                yield {"rejected_at": row.rejected_at, "reason": row.reason, "payload": payload}


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else str(value)

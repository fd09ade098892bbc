"""Note which persons' referrals have to be derived again, in the transaction that changes them."""

from collections.abc import Collection

import psycopg
from django.conf import settings
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from common.postgres import array_literal

LINK_PARAMETER = "ref"
FEW = 200  # events whose reading costs as much as a query


def property_names() -> list[str]:
    """Return the properties that name a code, of an event and of a person, the first one first."""
    return [settings.PLUMBLINE_REFERRAL_PROPERTY, LINK_PARAMETER]


def note_events(cursor: psycopg.Cursor, events: EventBatch, person_ids: NDArray) -> None:
    """Note the persons of events that seem to name a code; `person_ids` are those of the events."""
    if len(events) > FEW and not _is_set_up(cursor):
        return
    markers = [f'"{name}"'.encode() for name in property_names()] + [b"ref="]
    indices = [
        index
        for index, properties in enumerate(events.properties)
        if any(marker in properties for marker in markers)
    ]
    note_persons(cursor, set(person_ids[indices].tolist()) if indices else ())


def note_persons(cursor: psycopg.Cursor, person_ids: Collection[int]) -> None:
    """Note persons, where there is a program."""
    if person_ids:
        cursor.execute(
            "INSERT INTO growth_referralcheck (person_id) SELECT unnest(%s::bigint[])"
            " WHERE EXISTS (SELECT FROM growth_referralprogram)",
            [array_literal(person_ids)],
        )


def _is_set_up(cursor: psycopg.Cursor) -> bool:
    cursor.execute("SELECT FROM growth_referralprogram LIMIT 1")
    return cursor.fetchone() is not None

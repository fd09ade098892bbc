"""Proof of distinct ids that does not come with an event."""

from collections.abc import Collection, Sequence
from uuid import uuid4

import psycopg
from django.db import transaction
from django.utils import timezone

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities
from analytics.calculations.records import EventRecord, Proof
from analytics.models import DistinctId, Person
from analytics.people import exclusions, identity, persons, profiles, splitting
from common.locks import Lock, locked_cursor
from common.postgres import is_storable


def person_named(distinct_id: str) -> Person | None:
    """Return the person that the API or a command names, and so proves, by a distinct id.

    What is done about that person must not reach another one, of whom the id was only claimed.
    """
    prove(distinct_id)
    return persons.find_person(distinct_id)


def unproved(distinct_ids: Collection[str]) -> set[str]:
    """Return those of some ids that a person has and nothing has proved."""
    rows = DistinctId.objects.filter(pk__in=distinct_ids, proved=False)
    return set(rows.values_list("pk", flat=True))


@transaction.atomic
def prove(distinct_id: str, *, cause: str = "API") -> None:
    """Record that the backend, Stripe or staff named an id, and so vouches for it.

    An id that was only claimed to belong to a person with another proved id is split off; `cause`
    stands in the journal. Does nothing where no person has the id, or where it is proved already.
    Call it outside of a transaction.
    """
    row = DistinctId.objects.filter(pk=distinct_id)
    if not is_storable(distinct_id) or not row.filter(proved=False).exists():
        return
    cursor = locked_cursor(Lock.IDENTITY, Lock.ROLLUPS)
    person = row.values_list("person_id", flat=True).first()
    if person is None:
        return
    record = EventRecord(uuid4().bytes, "", distinct_id, timezone.now(), b"{}", proof=Proof.PROVED)
    identities = Identities(
        {distinct_id: person},
        set(),
        identity.NewPersons(cursor, 0),
        identity.proved_ids(cursor, {person}),
    )
    identities.prove(distinct_id, record)
    identity.write(cursor, identities, is_demo=False)
    profiles.update(cursor, EventBatch.from_records([record]), [person], identities, cause=cause)
    splitting.split(cursor, identities)
    identity.store_proofs(cursor, identities)
    exclusions.apply_rules(cursor, identities.changed)


def forget(cursor: psycopg.Cursor, distinct_ids: Sequence[str]) -> None:
    """Forget that staff proved these ids by a merge that is undone; other proof of them stays."""
    cursor.execute(
        "SELECT person_id FROM analytics_distinctid WHERE distinct_id = ANY(%s)",
        [list(distinct_ids)],
    )
    paying = identity.paying({person for (person,) in cursor.fetchall()})
    cursor.execute(
        """
        UPDATE analytics_distinctid AS id SET proved = false
        WHERE distinct_id = ANY(%s) AND person_id <> ALL(%s) AND NOT EXISTS (
            SELECT FROM analytics_event AS event
            WHERE event.person_id = id.person_id AND event.distinct_id = id.distinct_id AND proved
        )
        """,
        [list(distinct_ids), list(paying)],
    )

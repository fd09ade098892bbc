"""Register the uuids of events, so that each counts once, and no claim suppresses proof."""

from collections.abc import Mapping, Sequence, Sized
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
import psycopg

from analytics.calculations.batch import EventBatch
from analytics.ingestion import copying
from analytics.models import EventOutcome
from common.keyed_uuid import keyed_uuid
from common.postgres import array_literal

# None where another event has the uuid.
Outcome = Literal[EventOutcome.STORED, EventOutcome.DUPLICATE] | None


class Registered(NamedTuple):
    """The events to store, the outcome for each event, and what was sent for a replaced uuid."""

    fresh: EventBatch
    outcomes: Sequence[Outcome]
    sent_as: Mapping[bytes, bytes]

    def conflicts(self, cursor: psycopg.Cursor, events: EventBatch) -> dict[int, datetime]:
        """Return the time that is stored for each uuid, where an imported event has another."""
        refused = [
            index
            for index, outcome in enumerate(self.outcomes)
            if outcome is None and _is_imported(events, index)
        ]
        if not refused:
            return {}
        cursor.execute(
            """
            SELECT index, timestamp
            FROM unnest(%s::int[], %s::uuid[], %s::timestamptz[]) AS again (index, uuid, time)
            JOIN analytics_eventuuid AS register USING (uuid) WHERE timestamp <> time
            """,
            [refused, _uuid_array(events, refused), _time_array(events, refused)],
        )
        return dict(cursor.fetchall())


def register(cursor: psycopg.Cursor, events: EventBatch) -> Registered:
    """Register the uuids of events that are new.

    The register's key makes an event count once, even where several processes store it. Anyone with
    the public key can claim a uuid before the backend uses it: a proved event whose uuid a claim
    holds gets another, always the same, so that its repetitions are recognized too.
    """
    outcomes = _register(cursor, events)
    if outcomes is None:
        return Registered(events, _all_stored(events), {})
    sent_as: dict[bytes, bytes] = {}
    if held := _held_by_claims(cursor, events, outcomes):
        sent: list[bytes] = events.uuids[held].tolist()
        derived = [keyed_uuid("proved-event", uuid.hex()).bytes for uuid in sent]
        events = events.with_uuids(dict(zip(held, derived, strict=True)))
        sent_as = dict(zip(derived, sent, strict=True))
        again = _register(cursor, events.take(np.array(held)))
        for index, outcome in zip(held, again or _all_stored(held), strict=True):
            outcomes[index] = outcome
    stored = [index for index, outcome in enumerate(outcomes) if outcome is EventOutcome.STORED]
    return Registered(events.take(np.array(stored, np.int64)), outcomes, sent_as)


def _register(cursor: psycopg.Cursor, events: EventBatch) -> list[Outcome] | None:
    """Register those uuids that are new, and return the outcome for each event; None if all are.

    A proved event is the duplicate of a proved one only.
    """
    halves = events.uuids.view(">u8").reshape(-1, 2)
    order = np.lexsort(
        (halves[:, 1], halves[:, 0])
    )  # in this order everywhere, to prevent deadlocks
    is_repeated = (halves[order][1:] == halves[order][:-1]).all(axis=1)
    if not is_repeated.any() and copying.copy_uuids(cursor, events, order):
        return None
    uuids: list[bytes] = events.uuids.tolist()
    first = _first(uuids)
    new = _register_one_by_one(cursor, events, [first[uuid] for uuid in sorted(first)])
    again = [index for index, uuid in enumerate(uuids) if uuid not in new or first[uuid] != index]
    same = _same_as_stored(cursor, events, [index for index in again if uuids[index] not in new])
    outcomes = _all_stored(events)
    for index in again:
        is_same = index in same or (
            uuids[index] in new and _are_same(events, index, first[uuids[index]])
        )
        outcomes[index] = EventOutcome.DUPLICATE if is_same else None
    return outcomes


def _all_stored(events: Sized) -> list[Outcome]:
    return [EventOutcome.STORED] * len(events)


def _first(uuids: Sequence[bytes]) -> dict[bytes, int]:
    """Return the first index of each uuid."""
    return {uuid: index for index, uuid in reversed([*enumerate(uuids)])}


def _held_by_claims(
    cursor: psycopg.Cursor, events: EventBatch, outcomes: Sequence[Outcome]
) -> list[int]:
    """Return the indices of the proved events whose uuid an unproved event has."""
    proved = [i for i in np.flatnonzero(events.proved).tolist() if outcomes[i] is None]
    if not proved:
        return []
    uuids: list[bytes] = events.uuids.tolist()
    first = _first(uuids)
    in_batch = {i for i in proved if outcomes[first[uuids[i]]] is EventOutcome.STORED}
    stored = _stored_as_claims(cursor, events, [i for i in proved if i not in in_batch])
    claims = {i for i in in_batch if not events.proved[first[uuids[i]]]}
    return sorted(claims | stored)


def _stored_as_claims(
    cursor: psycopg.Cursor, events: EventBatch, indices: Sequence[int]
) -> set[int]:
    """Return those indices whose uuid a stored event has that is not proved."""
    cursor.execute(
        """
        SELECT index
        FROM unnest(%s::int[], %s::uuid[]) AS again (index, uuid)
        JOIN analytics_eventuuid AS register USING (uuid)
        CROSS JOIN LATERAL (  -- by the time, each alone, as the person may be any
            SELECT proved FROM analytics_event AS stored
            WHERE stored.timestamp = register.timestamp AND stored.uuid = again.uuid
            LIMIT 1
        ) AS stored
        WHERE NOT stored.proved
        """,
        [indices, _uuid_array(events, indices)],
    )
    return {index for (index,) in cursor.fetchall()}


def _register_one_by_one(
    cursor: psycopg.Cursor, events: EventBatch, indices: Sequence[int]
) -> set[bytes]:
    """Register those uuids at these indices that are new, and return them."""
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [_uuid_array(events, indices), _time_array(events, indices)],
    )
    return {uuid for (uuid,) in cursor.fetchall()}


def _are_same(events: EventBatch, index: int, other: int) -> bool:
    """Whether two events are equal. A retry changes the time, but the time in a file is content."""
    return (
        bool(events.proved[index] <= events.proved[other])
        and all(
            column[index] == column[other]
            for column in (events.names, events.distinct_ids, events.properties)
        )
        and not (_is_imported(events, index) and events.times[index] != events.times[other])
    )


def _is_imported(events: EventBatch, index: int) -> bool:
    record = events.special.get(index)
    return record is not None and record.is_imported


def _uuid_array(events: EventBatch, indices: Sequence[int]) -> str:
    return array_literal(events.uuids[index].tobytes().hex() for index in indices)


def _time_array(events: EventBatch, indices: Sequence[int]) -> str:
    return array_literal(events[index].timestamp.isoformat() for index in indices)


def _same_as_stored(cursor: psycopg.Cursor, events: EventBatch, indices: Sequence[int]) -> set[int]:
    """Return those indices whose event equals the stored one of its uuid, as in `_are_same`.

    A stored event is read once for all repetitions of its uuid.
    """
    cursor.execute(
        """
        WITH again AS (
            SELECT * FROM unnest(%s::int[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[],
                                 %s::boolean[], %s::timestamptz[])
                AS again (index, uuid, event, distinct_id, properties, proved, exact_time)
        ), stored AS MATERIALIZED (
            SELECT named.uuid, named.distinct_id, stored.timestamp, stored.event, stored.proved,
                   stored.distinct_id AS stored_id, md5(stored.properties::text) AS properties
            FROM (SELECT DISTINCT uuid, distinct_id FROM again) AS named
            JOIN analytics_eventuuid AS register USING (uuid)
            JOIN analytics_distinctid AS id USING (distinct_id)
            CROSS JOIN LATERAL (  -- by the key, each alone
                SELECT * FROM analytics_event AS stored
                WHERE stored.person_id = id.person_id AND stored.timestamp = register.timestamp
                    AND stored.uuid = named.uuid
                LIMIT 1
            ) AS stored
        )
        SELECT index FROM again JOIN stored USING (uuid, distinct_id)
        WHERE stored.event = again.event AND stored.stored_id = again.distinct_id
            AND stored.properties = md5(again.properties::text)
            AND stored.proved >= again.proved
            AND coalesce(stored.timestamp = again.exact_time, true)
        """,
        [
            indices,
            _uuid_array(events, indices),
            [events.names[index] for index in indices],
            [events.distinct_ids[index] for index in indices],
            [events.properties[index].decode() for index in indices],
            events.proved[list(indices)].tolist(),
            [events[index].timestamp if _is_imported(events, index) else None for index in indices],
        ],
    )
    return {index for (index,) in cursor.fetchall()}

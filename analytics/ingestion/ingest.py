"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.bounds import Refusal
from analytics.calculations.people.identity import Identities, linking_records
from analytics.calculations.records import EventRecord, Holds, Reason, Rejection
from analytics.capture import erased_ids
from analytics.extension_points import events_stored
from analytics.forwarding import outbox
from analytics.ingestion import copying, uuids
from analytics.ingestion.partitions import lock_and_ensure_partitions, months_of
from analytics.models import EventOutcome
from analytics.people import exclusions, groups, identity, merging, profiles, splitting
from analytics.people.profiles import TooMuchAtOnce
from analytics.rollups import rollups
from analytics.rollups.person_cache import PersonCache
from common.formatting import first_line
from common.postgres import raw_cursor

# Errors of a statement that a single event may cause.
_BAD_EVENT = (
    psycopg.DataError,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.ProgramLimitExceeded,
    ValueError,
    RecursionError,
)


# The outcome of an event: stored, a duplicate, dropped as erased, or why it was not stored.
StoreResult = Literal[EventOutcome.STORED, EventOutcome.DUPLICATE, EventOutcome.ERASED] | Rejection

_MOST_CACHED_ERASED = 100_000


class _NamesErased(Exception):
    """Events name these ids, which were erased."""

    def __init__(self, distinct_ids: Set[str]) -> None:
        super().__init__()
        self.distinct_ids = distinct_ids


class _ProvedMeanwhile(Exception):
    """Another transaction has proved ids, so that those of a batch have to be planned again."""


def store(
    records: Sequence[EventRecord],
    *,
    is_demo: bool = False,
    forward: bool = False,
    cache: PersonCache | None = None,
    alone: bool = False,
    refusals: dict[bytes, Refusal] | None = None,
) -> list[StoreResult]:
    """Store the new events among `records`, and return the result for each.

    Runs inside the caller's transaction or one of its own. An event that the database refuses is
    isolated by halving the batch, and rejected; one that names an erased id is dropped. `forward`
    is for captured events, which are sent on to PostHog where forwarding is on. `cache` saves
    repeated queries. `refusals` receives why stored events had properties of their person or group
    refused, by their uuid.
    """
    if not records:
        return []
    events = EventBatch.from_records(records)
    cache = cache or PersonCache()
    refusals = {} if refusals is None else refusals
    again = partial(store, is_demo=is_demo, forward=forward, refusals=refusals)
    try:
        with transaction.atomic():
            _refuse_erased(cache.erased.intersection(events.numbered_ids[0]))
            results, refused = _store(
                events, is_demo=is_demo, forward=forward, cache=cache, alone=alone
            )
    except _ProvedMeanwhile:
        return again(events, cache=cache, alone=True)
    except _NamesErased as erased:
        cache.erased |= erased.distinct_ids
        rest = np.setdiff1d(np.arange(len(events)), _naming(events, erased.distinct_ids))
        stored = dict(zip(rest.tolist(), again(events.take(rest), cache=cache), strict=True))
        if len(cache.erased) > _MOST_CACHED_ERASED:
            cache.erased.clear()
        return [stored.get(index, EventOutcome.ERASED) for index in range(len(events))]
    except TooMuchAtOnce:
        pass
    except _BAD_EVENT as error:
        if len(events) == 1:
            return [_rejection(events[0], Reason.UNSTORABLE, str(error))]
    else:
        refusals.update(refused)
        return results
    middle = len(events) // 2
    halves = events[:middle], events[middle:]
    return [result for half in halves for result in again(half)]


def _store(
    events: EventBatch, *, is_demo: bool, forward: bool, cache: PersonCache, alone: bool = False
) -> tuple[list[StoreResult], dict[bytes, Refusal]]:
    """Take locks in one order everywhere: partitions, uuids, identity, roll-ups."""
    cursor = raw_cursor()
    lock_and_ensure_partitions(cursor, months_of(events.times))
    registered = uuids.register(cursor, events)
    fresh, outcomes, sent_as = registered
    stored_times = registered.conflicts(cursor, events)
    identities, persons = identity.lock_and_resolve(
        cursor, fresh, cache, is_demo=is_demo, alone=alone
    )
    _refuse_erased(_new_ids(fresh, identities))  # under the identity lock, as erasing is
    # By person, which is the fastest order for indexes and roll-ups.
    person_ids = _final(identities, fresh, persons)
    order = np.lexsort((fresh.times, person_ids))
    copying.copy_events(cursor, fresh, person_ids, order)
    rollups.lock_and_add_events(cursor, fresh, person_ids, order, cache)
    changed, refusals = profiles.update(cursor, fresh, persons.tolist(), identities)
    refusals |= groups.update(cursor, fresh)
    identity.mark_identified(cursor, identities)
    merging.merge(cursor, identities.merges)
    splitting.split(cursor, identities)
    if not identity.store_proofs(cursor, identities):
        raise _ProvedMeanwhile
    exclusions.apply_rules(cursor, changed | identities.changed)
    for note_events in events_stored:
        note_events(cursor, fresh, person_ids)
    if forward:
        outbox.add(fresh)
    results: list[StoreResult] = [
        outcome or _reused(events[index], stored_times.get(index))
        for index, outcome in enumerate(outcomes)
    ]
    return results, {sent_as.get(uuid, uuid): refusal for uuid, refusal in refusals.items()}


def _refuse_erased(distinct_ids: Set[str]) -> None:
    if erased := erased_ids.among(distinct_ids):
        raise _NamesErased(erased)


def _new_ids(events: EventBatch, identities: Identities) -> set[str]:
    """Return the ids without a person before the batch, also those that no person gets."""
    others = {record.other_id for record in linking_records(events).values() if record.other_id}
    return (others - identities.person_of.keys()).union(identities.attached)


def _naming(events: EventBatch, distinct_ids: Set[str]) -> list[int]:
    """Return the indices of the events that name one of these ids, as theirs or another."""
    named = {index for index, id_ in enumerate(events.distinct_ids) if id_ in distinct_ids}
    linking = linking_records(events).items()
    return sorted(named | {index for index, row in linking if row.other_id in distinct_ids})


def _final(
    identities: Identities, events: EventBatch, persons: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the person of each event after the batch; before, they were `persons`."""
    if not identities.moves_ids:
        return persons
    distinct_ids, number = events.numbered_ids
    return np.array([identities.find(distinct_id) for distinct_id in distinct_ids])[number]


def _reused(record: EventRecord, stored_time: datetime | None) -> Rejection:
    detail = "uuid: another event has it already"
    if stored_time is not None:
        times = [time.astimezone(UTC).isoformat() for time in (stored_time, record.timestamp)]
        detail += f", stored with the time {times[0]}, not {times[1]}"
    return _rejection(record, Reason.UUID_REUSED, detail)


def _rejection(record: EventRecord, reason: Reason, detail: str) -> Rejection:
    return Rejection(reason, first_line(detail), record.json, record.line, holds=Holds.READ_EVENT)

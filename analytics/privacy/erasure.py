"""Erase persons and every trace of them; the counters stay correct.

The order makes an interrupted erasure safe to repeat: first the ids are remembered, so that nothing
new arrives, and what waits in the inbox is stored; then rows of others are cleaned; then the
persons go, in bounded transactions; last, their events in the outbox.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from django.db import transaction
from django.utils import timezone

from analytics.capture import erased_ids
from analytics.extension_points import before_erasing, naming_stores, person_stores
from analytics.models import Erasure, Person
from analytics.privacy import waiting
from analytics.privacy.data_stores import DataStore
from analytics.privacy.own_stores import SEARCHED_ON_REQUEST
from analytics.privacy.receipts import ElsewhereCall, calls_elsewhere
from analytics.privacy.traces import Traces, same_address, traces_of
from analytics.rollups import rollups
from analytics.rollups.person_cache import empty_everywhere
from common.locks import Lock, locked_cursor
from common.postgres import raw_cursor

PERSONS_PER_TRANSACTION = 100
EVENTS_PER_TRANSACTION = 20_000

# Journal lines of these persons, and lines that only name their ids.
_LINES = """
FROM analytics_personmerge
WHERE person_id = ANY(%(merged)s) OR other_person_id = ANY(%(merged)s)
   OR distinct_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s)
"""
# What stays of an event until it is deleted is counted nowhere: its person is excluded.
_TAKE_OUT = """
UPDATE analytics_person SET excluded = true, excluded_by_hand = true, properties = '{}',
    proved = '{}', claimed = '{}', set_at = '{}', proved_set_at = '{}' WHERE id = ANY(%s)
"""
_DELETE_EVENTS = """
WITH step AS (
    SELECT person_id, timestamp, uuid FROM analytics_event WHERE person_id = ANY(%s) LIMIT %s
), gone AS (
    DELETE FROM analytics_event AS event USING step
    WHERE (event.person_id, event.timestamp, event.uuid)
        = (step.person_id, step.timestamp, step.uuid)
    RETURNING event.uuid
)
DELETE FROM analytics_eventuuid WHERE uuid = ANY(ARRAY(SELECT uuid FROM gone))
"""


@dataclass(frozen=True)
class Receipt:
    """What was removed where, or would be, and what others still hold."""

    persons: int = 0
    removed: Counter[str] = field(default_factory=Counter)  # number of rows by place
    elsewhere: Sequence[ElsewhereCall] = ()
    same_address: Sequence[Person] = ()  # others, who keep an e-mail address of the erased
    searched_events: bool = False  # whether events and profiles of others were searched
    erasure: Erasure | None = None


def preview(person_ids: Collection[int], *, search_events: bool = False) -> Receipt:
    """Return what erasing these persons would remove."""
    traces = traces_of(person_ids)
    removed = _own_counts(raw_cursor(), traces)
    for data_store in (*_all(person_stores), *_naming_stores(search_events), *waiting.STORES):
        removed[data_store.name] += data_store.count(traces)
    return _receipt(traces, +removed, search_events)


def erase(
    person_ids: Collection[int],
    *,
    by: Any = None,
    search_events: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """Erase these persons and return the receipt, of which only numbers are stored.

    `by` is the staff user. Works in bounded steps; `progress` is called with the persons done.
    """
    ids = sorted(person_ids)
    traces = traces_of(ids)
    inbox, outbox = waiting.STORES
    removed: Counter[str] = Counter()
    receipt = _receipt(traces, Counter(), search_events)  # names what is gone afterwards
    with transaction.atomic():
        erasure = Erasure.objects.create(by=by, persons=len(ids), pending=ids)
        erased_ids.remember(traces.own_ids, erasure)
        for remember in before_erasing:
            remember(ids)
    removed[inbox.name] += inbox.erase(traces)
    traces = traces_of(ids)  # what waited may have proved that an id is another person's
    for data_store in _naming_stores(search_events):
        removed[data_store.name] += data_store.erase(traces)
    for start in range(0, len(ids), PERSONS_PER_TRANSACTION):
        chunk = ids[start : start + PERSONS_PER_TRANSACTION]
        removed += _erase_chunk(chunk, traces, erasure)
        progress(start + len(chunk))
    removed[outbox.name] += outbox.erase(traces)
    _finish(erasure, removed)
    return replace(receipt, removed=+removed, erasure=erasure)


def was_erased(distinct_id: str) -> bool:
    """Return whether the id was erased, so that events that name it are dropped."""
    return bool(erased_ids.among([distinct_id]))


def allow_again(distinct_id: str) -> bool:
    """Accept events of an erased id again: a person came back. Return whether it was erased."""
    return erased_ids.forget(distinct_id)


def erase_demo(*, progress: Callable[[int], None] = lambda _: None) -> int:
    """Delete all demo data, and return the number of deleted persons. The demo may return."""
    person_ids = list(Person.objects.filter(is_demo=True).values_list("pk", flat=True))
    for start in range(0, len(person_ids), PERSONS_PER_TRANSACTION):
        chunk = person_ids[start : start + PERSONS_PER_TRANSACTION]
        _erase_chunk(chunk, traces_of(chunk), None)
        progress(start + len(chunk))
    return len(person_ids)


def resume() -> int:
    """Finish erasures that were interrupted; return the number of persons left by them."""
    left = 0
    for erasure in Erasure.objects.filter(finished_at=None).order_by("pk"):
        ids = list(Person.objects.filter(pk__in=erasure.pending).values_list("pk", flat=True))
        traces = traces_of(ids)
        removed = Counter(erasure.removed)
        for data_store in _naming_stores(search_events=False):
            removed[data_store.name] += data_store.erase(traces)
        removed += _erase_chunk(ids, traces, erasure)
        _finish(erasure, removed)
        left += len(ids)
    return left


def _erase_chunk(
    person_ids: Sequence[int], traces: Traces, erasure: Erasure | None
) -> Counter[str]:
    """Erase persons: out of every number first, then their events in steps, then the rest."""
    removed = _take_out(person_ids, traces, erasure)
    cursor = raw_cursor()
    while True:
        with transaction.atomic():
            cursor.execute(_DELETE_EVENTS, [list(person_ids), EVENTS_PER_TRANSACTION])
        removed["Events"] += cursor.rowcount
        if cursor.rowcount < EVENTS_PER_TRANSACTION:
            break
    with transaction.atomic():
        cursor.execute("DELETE FROM analytics_personday WHERE person_id = ANY(%s)", [person_ids])
        removed["Active days"] += cursor.rowcount
        cursor.execute("DELETE FROM analytics_person WHERE id = ANY(%s)", [person_ids])
        removed["Profiles"] += cursor.rowcount
    return removed


@transaction.atomic
def _take_out(
    person_ids: Sequence[int], all_traces: Traces, erasure: Erasure | None
) -> Counter[str]:
    """Remove persons from every number, with their ids, so that nothing is added to them."""
    cursor = locked_cursor(Lock.IDENTITY)
    traces, removed = traces_of(person_ids), Counter[str]()
    if erasure is not None:  # also ids that are new since
        erased_ids.remember(traces.own_ids, erasure)
    traces = replace(traces, mentions=traces.mentions | all_traces.mentions)
    for data_store in _all(person_stores):
        removed[data_store.name] += data_store.erase(traces)
    with rollups.locked_recount(cursor, traces.person_ids):
        cursor.execute(_TAKE_OUT, [traces.person_ids])
        parameters = _line_parameters(traces)
        cursor.execute(f"DELETE {_LINES}", parameters)
        removed["Merge journal"] += cursor.rowcount
        cursor.execute(
            "DELETE FROM analytics_distinctid WHERE person_id = ANY(%s)", [traces.person_ids]
        )
        removed["Distinct ids"] += cursor.rowcount
    empty_everywhere(cursor)
    return removed


def _own_counts(cursor: psycopg.Cursor, traces: Traces) -> Counter[str]:
    tables = {
        "Events": "event",
        "Active days": "personday",
        "Distinct ids": "distinctid",
        "Exclusions": "exclusion",
    }
    removed: Counter[str] = Counter()
    for name, table in tables.items():
        cursor.execute(
            f"SELECT count(*) FROM analytics_{table} WHERE person_id = ANY(%s)", [traces.person_ids]
        )
        removed[name] = (cursor.fetchone() or (0,))[0]
    cursor.execute(f"SELECT count(*) {_LINES}", _line_parameters(traces))
    removed["Merge journal"] = (cursor.fetchone() or (0,))[0]
    removed["Profiles"] = len(traces.person_ids)
    return removed


def _line_parameters(traces: Traces) -> dict[str, list[Any]]:
    return {"merged": list(traces.merged_ids), "ids": sorted(traces.mentions.distinct_ids)}


def _receipt(traces: Traces, removed: Counter[str], search_events: bool) -> Receipt:
    return Receipt(
        persons=len(traces.person_ids),
        removed=removed,
        elsewhere=list(calls_elsewhere(traces)),
        same_address=same_address(traces),
        searched_events=search_events,
    )


def _finish(erasure: Erasure, removed: Counter[str]) -> None:
    erasure.removed, erasure.pending = dict(+removed), []
    erasure.finished_at = timezone.now()
    erasure.save()


def _naming_stores(search_events: bool) -> list[DataStore]:
    return [*_all(naming_stores), *(SEARCHED_ON_REQUEST if search_events else [])]


def _all(registry: Any) -> Iterator[DataStore]:
    return (data_store for data_stores in registry for data_store in data_stores)

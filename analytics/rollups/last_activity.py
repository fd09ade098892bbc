"""When persons were last active, to the minute and within the last day, in blocks of persons.

Every change is made under the roll-up lock. The minute of a person who was active longer ago
stays until their next activity; it is never counted.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from analytics.models import LastActiveBlock
from analytics.rollups import minute_counts
from common.postgres import array_literal

_PERSONS = LastActiveBlock.PERSONS
_STORED = np.dtype(">i4")  # a minute in a block
_PERSONS_TOGETHER = 100_000  # bounds the memory of a rebuild

_LATEST = """
SELECT person_id, floor(extract(epoch FROM max(timestamp)) / 60)::bigint
FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded AND has_profile
WHERE timestamp >= %(since)s AND event <> ALL(%(ignored)s) AND {person_condition}
GROUP BY 1 ORDER BY 1
"""


def add(cursor: psycopg.Cursor, person_ids: NDArray[np.int64], minutes: NDArray[np.int64]) -> None:
    """Store the latest active minutes of persons, each once; a later stored minute is kept."""
    _update(cursor, person_ids, minutes, np.maximum)


def _update(
    cursor: psycopg.Cursor,
    person_ids: NDArray[np.int64],
    minutes: NDArray[np.int64],
    choose: Callable[..., NDArray[np.int64]],
) -> None:
    """Store for each person what `choose` returns of the stored minute and the new one."""
    if not len(person_ids):
        return
    blocks, block = np.unique(person_ids // _PERSONS, return_inverse=True)
    cursor.execute(
        "SELECT block, minutes FROM analytics_lastactiveblock WHERE block = ANY(%s::bigint[])",
        [array_literal(blocks)],
        binary=True,
    )
    stored = np.zeros((len(blocks), _PERSONS), _STORED)
    for number, content in cursor.fetchall():
        stored[np.searchsorted(blocks, number)] = np.frombuffer(content, _STORED)
    indices = block, person_ids % _PERSONS
    new = stored.copy()
    new[indices] = choose(stored[indices], minutes)
    is_changed = (new != stored).any(axis=1)
    cursor.execute(
        """
        INSERT INTO analytics_lastactiveblock (block, minutes)
        SELECT * FROM unnest(%s::bigint[], %s::bytea[])
        ON CONFLICT (block) DO UPDATE SET minutes = excluded.minutes
        """,
        [array_literal(blocks[is_changed]), [row.tobytes() for row in new[is_changed]]],
    )


def active_since(since: datetime) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the persons active after a time within the last day, and their last active minute."""
    rows = LastActiveBlock.objects.values_list("block", "minutes")
    blocks, content = zip(*rows, strict=True) if rows else ((), ())
    minutes = np.frombuffer(b"".join(content), _STORED).astype(np.int64)
    indices = np.flatnonzero(minutes * 60 > since.timestamp())
    block, offset = np.divmod(indices, _PERSONS)
    return np.array(blocks, np.int64)[block] * _PERSONS + offset, minutes[indices]


def recompute(
    cursor: psycopg.Cursor, ignored_events: Collection[str], person_ids: Collection[int]
) -> None:
    """Recompute from the stored events when some persons were last active."""
    cursor.execute(*_latest(ignored_events, person_ids))
    latest: dict[int, int] = dict(cursor.fetchall())
    minutes = [latest.get(person_id, 0) for person_id in person_ids]
    _update(cursor, _array(person_ids), _array(minutes), lambda _, new: new)


def rebuild(cursor: psycopg.Cursor, ignored_events: Collection[str]) -> None:
    """Recompute it for all persons, in bounded memory."""
    cursor.execute("DELETE FROM analytics_lastactiveblock")
    with cursor.connection.cursor(name="last_active") as persons:
        persons.execute(*_latest(ignored_events))
        while rows := persons.fetchmany(_PERSONS_TOGETHER):
            add(cursor, *map(_array, zip(*rows, strict=True)))


def _latest(
    ignored_events: Collection[str], person_ids: Collection[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the query for persons' latest minutes, in the order of persons, and its values."""
    values = {
        "since": minute_counts.start(),
        "ignored": sorted(ignored_events),
        "persons": list(person_ids or ()),
    }
    condition = minute_counts.person_condition(person_ids)
    return _LATEST.format(person_condition=condition), values


def _array(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(numbers, np.int64)

"""When persons were last active, to the minute and within the last day, in blocks of persons.

Every change is made under the roll-up lock. Whoever was active longer ago keeps that minute until
the next one; nobody counts it.
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
WHERE timestamp >= %(since)s AND event <> ALL(%(ignored)s) AND {whose} GROUP BY 1 ORDER BY 1
"""


def add(cursor: psycopg.Cursor, person_ids: NDArray[np.int64], minutes: NDArray[np.int64]) -> None:
    """Note the latest active minutes of persons, each once; a known one that is later stays."""
    _note(cursor, person_ids, minutes, np.maximum)


def _note(
    cursor: psycopg.Cursor,
    person_ids: NDArray[np.int64],
    minutes: NDArray[np.int64],
    chosen: Callable[..., NDArray[np.int64]],
) -> None:
    """Note of each person what is chosen of the minute that is known and the one given."""
    if not len(person_ids):
        return
    blocks, block = np.unique(person_ids // _PERSONS, return_inverse=True)
    cursor.execute(
        "SELECT block, minutes FROM analytics_lastactiveblock WHERE block = ANY(%s::bigint[])",
        [array_literal(blocks)],
        binary=True,
    )
    known = np.zeros((len(blocks), _PERSONS), _STORED)
    for number, content in cursor.fetchall():
        known[np.searchsorted(blocks, number)] = np.frombuffer(content, _STORED)
    places = block, person_ids % _PERSONS
    new = known.copy()
    new[places] = chosen(known[places], minutes)
    is_changed = (new != known).any(axis=1)
    cursor.execute(
        """
        INSERT INTO analytics_lastactiveblock (block, minutes)
        SELECT * FROM unnest(%s::bigint[], %s::bytea[])
        ON CONFLICT (block) DO UPDATE SET minutes = excluded.minutes
        """,
        [array_literal(blocks[is_changed]), [row.tobytes() for row in new[is_changed]]],
    )


def active_since(since: datetime) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return who was active after a moment of the last day, and in which minute last."""
    rows = LastActiveBlock.objects.values_list("block", "minutes")
    blocks, content = zip(*rows, strict=True) if rows else ((), ())
    minutes = np.frombuffer(b"".join(content), _STORED).astype(np.int64)
    places = np.flatnonzero(minutes * 60 > since.timestamp())
    block, place = np.divmod(places, _PERSONS)
    return np.array(blocks, np.int64)[block] * _PERSONS + place, minutes[places]


def recompute(
    cursor: psycopg.Cursor, ignored_events: Collection[str], person_ids: Collection[int]
) -> None:
    """Find out anew when some persons were last active."""
    cursor.execute(*_latest(ignored_events, person_ids))
    found: dict[int, int] = dict(cursor.fetchall())
    minutes = [found.get(person_id, 0) for person_id in person_ids]
    _note(cursor, _array(person_ids), _array(minutes), lambda _, new: new)


def rebuild(cursor: psycopg.Cursor, ignored_events: Collection[str]) -> None:
    """Find out anew when everybody was, in bounded memory."""
    cursor.execute("DELETE FROM analytics_lastactiveblock")
    with cursor.connection.cursor(name="last_active") as everybody:
        everybody.execute(*_latest(ignored_events))
        while rows := everybody.fetchmany(_PERSONS_TOGETHER):
            add(cursor, *map(_array, zip(*rows, strict=True)))


def _latest(
    ignored_events: Collection[str], person_ids: Collection[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the query for persons' latest minutes, in the order of persons, and its values."""
    values = {
        "since": minute_counts.beginning(),
        "ignored": sorted(ignored_events),
        "persons": list(person_ids or ()),
    }
    return _LATEST.format(whose=minute_counts.whose(person_ids)), values


def _array(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(numbers, np.int64)

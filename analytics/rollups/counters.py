"""Reads and writes the counter table. `analytics.calculations.cells` defines what counts where."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import psycopg
from django.db import connection

from analytics.calculations.cells import Cell, CounterName
from analytics.models import Counter
from common.postgres import Prepared, array_literal
from common.read_once import read_each_once

_READ = Prepared(
    "plumbline_counters",
    """
    SELECT span.position, CASE WHEN span.by_day THEN counter.day ELSE span.first END,
           sum(counter.value)::bigint
    FROM unnest($1::text[], $2::date[], $3::date[], $4::integer[], $5::boolean[])
        WITH ORDINALITY AS span (name, first, last, number, by_day, position)
    JOIN analytics_counter counter
        ON counter.name = span.name AND counter.number = span.number
        AND counter.day BETWEEN span.first AND span.last
    GROUP BY 1, 2
    """,
)


class Span(NamedTuple):
    """The cells of one counter from the `first` to the `last` day, both included.

    They are read `by_day`, or as a single sum.
    """

    name: CounterName
    first: date = date.min
    last: date = date.max
    number: int = 0
    by_day: bool = False


@read_each_once
def read(spans: Sequence[Span]) -> list[Mapping[date, int]]:
    """Return the cells of each span by day, or their sum at its `first` day, with one statement.

    Within `reading_together` no span is read twice: reading all that a page needs at its beginning
    makes it cost a single round trip.
    """
    cells: list[dict[date, int]] = [{} for _ in spans]
    columns = [array_literal(column) for column in zip(*spans, strict=True)]
    with connection.wrap_database_errors, connection.cursor() as cursor:
        for position, day, value in _READ.rows(cursor.connection, columns):
            cells[position - 1][day] = value
    return list(cells)


def totals(spans: Sequence[Span]) -> list[int]:
    """Return the sum of each span, in order."""
    return [sum(cells.values()) for cells in read(spans)]


def first_day(name: CounterName) -> date | None:
    """Return the first day, week or month in which a counter counts a person."""
    cells = Counter.objects.filter(name=name, number=0, value__gt=0).order_by("day")
    return cells.values_list("day", flat=True).first()


def add(cursor: psycopg.Cursor, change: Mapping[Cell, int]) -> None:
    """Add the amounts to the counters."""
    rows = [(*cell, amount) for cell, amount in change.items() if amount]
    if not rows:
        return
    names, days, numbers, values = zip(*rows, strict=True)
    cursor.execute(
        """
        INSERT INTO analytics_counter AS counter (name, day, number, value)
        SELECT name, date '0001-01-01' + (day - 1), number, value
        FROM unnest(%s::text[], %s::int[], %s::int[], %s::bigint[])
            AS new (name, day, number, value)
        ON CONFLICT (name, number, day) DO UPDATE SET value = counter.value + excluded.value
        """,
        [array_literal(column) for column in (names, days, numbers, values)],
    )

"""Reads and writes the counter table. `analytics.calculations.cells` defines what counts where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg
from django.db import connection

from analytics.calculations.cells import Cell, CounterName
from analytics.models import Counter
from common.postgres import array_literal
from common.read_once import read_each_once


@dataclass(frozen=True, slots=True)
class Span:
    """The cells of one counter from the `first` to the `last` day, both included."""

    name: CounterName
    first: date = date.min
    last: date = date.max
    number: int = 0


@read_each_once
def totals(spans: Sequence[Span]) -> list[int]:
    """Return the sum of each span, in order, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(counter.value), 0)
            FROM unnest(%s::text[], %s::integer[], %s::date[], %s::date[])
                WITH ORDINALITY AS span (name, number, first, last, position)
            LEFT JOIN analytics_counter counter
                ON counter.name = span.name AND counter.number = span.number
                AND counter.day BETWEEN span.first AND span.last
            GROUP BY span.position ORDER BY span.position
            """,
            [
                [span.name.value for span in spans],
                [span.number for span in spans],
                [span.first for span in spans],
                [span.last for span in spans],
            ],
        )
        return [int(total) for (total,) in cursor.fetchall()]


def values(
    names: Collection[CounterName], *, first: date, last: date, numbers: Collection[int] = (0,)
) -> dict[tuple[str, int, date], int]:
    """Return the cells of some counters by (name, number, day), with one query."""
    cells = Counter.objects.filter(
        name__in=names, number__in=numbers, day__range=(first, last)
    ).values_list("name", "number", "day", "value")
    return {(name, number, day): value for name, number, day, value in cells}


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

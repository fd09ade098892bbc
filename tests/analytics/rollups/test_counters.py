"""Reading many counters with one statement."""

from datetime import date, timedelta

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.cells import CounterName
from analytics.models import Counter
from analytics.rollups import counters
from analytics.rollups.counters import Span
from common.postgres import Prepared
from common.read_once import reading_together
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

FIRST = date(2024, 2, 26)
NAMES = CounterName.SIGNUP_RETAINED, CounterName.TRAILING_7
days = st.integers(0, 4).map(lambda number: FIRST + timedelta(days=number))
keys = st.tuples(st.sampled_from(NAMES), st.integers(0, 1), days)
stored_cells = st.dictionaries(keys, st.integers(-3, 2**40), min_size=5, max_size=15)
spans = st.builds(
    Span,
    name=st.sampled_from(NAMES),
    first=st.just(date.min) | days,
    last=days | st.just(date.max),
    number=st.integers(0, 1),
    by_day=st.booleans(),
)


def store(cells):
    Counter.objects.all().delete()
    Counter.objects.bulk_create(
        Counter(name=name, number=number, day=day, value=value)
        for (name, number, day), value in cells.items()
    )


def counted_apart(cells, span):
    """Return what a span holds, from all cells."""
    held = {
        day: value
        for (name, number, day), value in cells.items()
        if (name, number) == (span.name, span.number) and span.first <= day <= span.last
    }
    return held if span.by_day or not held else {span.first: sum(held.values())}


@examples(200)
@given(cells=stored_cells, wanted=st.lists(spans, min_size=1, max_size=8))
def test_many_spans_read_together_hold_what_each_holds_alone(cells, wanted):
    store(cells)
    expected = [counted_apart(cells, span) for span in wanted]
    assert counters.read(wanted) == expected
    assert [counters.read([span])[0] for span in wanted] == expected
    assert counters.totals(wanted) == [sum(held.values()) for held in expected]


def test_a_span_that_was_read_for_a_page_is_not_read_again(monkeypatch):
    store({(CounterName.SIGNUP, 0, FIRST): 3})
    span, other = Span(CounterName.SIGNUP), Span(CounterName.SIGNUP, by_day=True)
    with reading_together():
        counters.read([span, other])
        monkeypatch.setattr(Prepared, "rows", None)  # a further statement would fail
        assert counters.totals([other, span]) == [3, 3]


def test_an_error_of_the_database_is_one_of_django():
    with transaction.atomic():
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.connection.execute("SELECT 1 / 0")
        with pytest.raises(DatabaseError):
            counters.read([Span(CounterName.SIGNUP)])
        transaction.set_rollback(True)


def test_no_spans_need_no_statement():
    assert (counters.read([]), counters.totals([])) == ([], [])

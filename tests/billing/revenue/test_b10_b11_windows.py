"""B10: only MRR of the start can be lost. B11: `from` and `to` cut a month alike. In cents."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.models import MrrDay
from billing.revenue import customer_churn, ledger
from tests import api
from tests.billing.admin_pages import text
from tests.billing.revenue.test_revenue_admin import admin, stripe  # noqa: F401  fixtures
from tests.billing.stripe_json import item, price, subscription
from tests.property_tests import examples

NOW = datetime(2024, 7, 1, 9, tzinfo=UTC)
AS_OF = date(2024, 6, 30)  # churn: from June 1 on

pytestmark = pytest.mark.django_db


def pays(store, number, *levels):
    """Record what a customer pays per month from each day on; 0 ends its subscription."""
    for version, (day, amount) in enumerate(levels):
        since = levels[version - 1][1] if version else 0
        kind = "updated" if since and amount else "created" if amount else "deleted"
        sub = f"sub_{number}_{sum(not level for _, level in levels[:version])}"
        over = {} if amount else {"status": "canceled", "ended_at": day}
        stripe_json = subscription(item(price(amount or since)), created=day, **over)
        store.record(kind, day, stripe_json | {"id": sub, "customer": f"cus_{number}"})


def churn(store):
    ledger.rebuild(now=NOW)
    return customer_churn.last_30_days(as_of=AS_OF)


def lost(store):
    """Return the MRR of the start that was lost, and what was gained and lost."""
    numbers = churn(store)
    return numbers.mrr_lost, numbers.mrr_gained_and_lost


def test_b10_a_huge_customer_that_joined_and_left_does_not_add_to_churn(stripe):  # noqa: F811
    """100 of 1000 are lost, and 900000000 beside them: 10 %, and not 90000010 %."""
    pays(stripe, 1, ("2024-01-01", 900))
    pays(stripe, 2, ("2024-01-01", 100), ("2024-06-20", 0))
    pays(stripe, 3, ("2024-06-05", 900_000_000), ("2024-06-15", 0))
    assert lost(stripe) == (100, 900_000_000)
    answer = api.get("billing/revenue/churn")
    assert (answer["gross_mrr_churn"], answer["joined_and_left"]) == (0.1, 1)
    assert (answer["mrr_lost"], answer["mrr_gained_and_lost"]) == (100, 900_000_000)


@pytest.mark.parametrize(
    ("levels", "expected"),
    {
        "1000 up to 3000, then left: 1000 of the start": ([3000, 0], (1000, 2000)),
        "1000 up to 3000, and down to 1000: nothing": ([3000, 1000], (0, 2000)),
        "1000 up to 3000, and down to 400: 600": ([3000, 400], (600, 2000)),
        "1000 down to 400, and up to 1000: 600": ([400, 1000], (600, 0)),
        "1000 down to 400 twice: 600 once": ([400, 1000, 400], (600, 600)),
        "left, and came back for more, and left": ([0, 5000, 0], (1000, 5000)),
    }.values(),
)
def test_b10_at_most_what_a_customer_paid_at_the_start_is_lost(stripe, levels, expected):  # noqa: F811
    days = [("2024-01-01", 1000), *((f"2024-06-{n + 10}", x) for n, x in enumerate(levels))]
    pays(stripe, 1, *days)
    assert lost(stripe) == expected


STEPS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=12)


@examples(40)
@given(steps=STEPS)
def test_b10_gross_mrr_churn_is_never_above_1_and_adds_up(stripe, steps):  # noqa: F811
    with transaction.atomic():
        stripe.clear()
        for number in (1, 2, 3):
            levels = [("2024-01-01", 1000)]
            for position, (customer, times) in enumerate(steps):
                if customer == number and levels[-1][1] != 700 * times:
                    levels.append((f"2024-06-{position + 2:02}", 700 * times))
            pays(stripe, number, *levels)
        numbers = churn(stripe)
        assert 0 <= (numbers.gross_mrr_churn or 0) <= 1
        rows = MrrDay.objects.filter(day__range=(numbers.window_from, AS_OF))
        assert numbers.mrr_lost + numbers.mrr_gained_and_lost == sum(
            row.contraction + row.churn for row in rows
        )
        transaction.set_rollback(True)


def periods(**parameters):
    rows = api.get("billing/revenue/movements", **parameters)["periods"]
    return [(row["start"], row["end"], row["complete"], row["closing"]) for row in rows]


@pytest.fixture
def spring(stripe):  # noqa: F811
    pays(stripe, 1, ("2024-04-05", 100), ("2024-05-10", 300), ("2024-05-20", 600))
    ledger.rebuild(now=NOW)


def test_b11_to_cuts_a_month_which_is_then_incomplete(spring):
    assert periods(from_="2024-05-01", to="2024-05-15") == [
        ("2024-05-01", "2024-05-15", False, 300)
    ]


def test_b11_from_cuts_a_month_as_to_does(spring):
    """The opening is that of the day before `from`."""
    assert periods(from_="2024-05-15", to="2024-06-30") == [
        ("2024-05-15", "2024-05-31", False, 600),
        ("2024-06-01", "2024-06-30", True, 600),
    ]
    first = api.get("billing/revenue/movements", from_="2024-05-15")["periods"][0]
    assert (first["opening"], first["expansion"]) == (300, 300)


def test_b11_both_ends_may_cut_the_same_month(spring):
    assert periods(from_="2024-05-06", to="2024-05-15") == [
        ("2024-05-06", "2024-05-15", False, 300)
    ]


def test_b11_as_of_cuts_the_month_that_it_sees_run(spring):
    assert periods(from_="2024-05-01", as_of="2024-05-12") == [
        ("2024-05-01", "2024-05-12", False, 300)
    ]


def test_b11_days_are_whole(spring):
    rows = periods(from_="2024-05-10", to="2024-05-11", granularity="day")
    assert rows == [
        ("2024-05-10", "2024-05-10", True, 300),
        ("2024-05-11", "2024-05-11", True, 300),
    ]


def test_b11_the_default_range_is_twelve_whole_months(spring):
    rows = periods(to="2024-06-30")
    assert (len(rows), rows[0][0], {complete for _, _, complete, _ in rows}) == (
        12,
        "2023-07-01",
        {True},
    )


def test_b11_the_page_says_which_days_of_a_month_it_shows(spring, admin):  # noqa: F811
    page = text(admin.get("/admin/billing/revenue/", {"from": "2024-05-06", "to": "2024-05-15"}))
    assert "6 May – 15 May" in page
    assert "In progress" not in page
    assert "In progress" in text(admin.get("/admin/billing/revenue/"))


def test_b11_the_csv_ends_with_as_of_like_the_page(spring, admin):  # noqa: F811
    page = text(admin.get("/admin/billing/revenue/movements.csv", {"as_of": "2024-05-12"}))
    assert ("2024-05-10" in page, "2024-05-20" in page) == (True, False)

"""The churn that is kept by day equals the churn computed from what customers paid on each day."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given

from billing.models import MrrMovement
from billing.revenue import customer_churn, ledger, mrr
from tests.billing.revenue.test_revenue_ledger import (
    NOW,
    STEPS,
    apply_steps,
    rate,
    stripe,  # noqa: F401  a fixture
)
from tests.property_tests import examples

pytestmark = pytest.mark.django_db
DAYS = [date(2024, 2, 1) + timedelta(days=number) for number in range(120)]


def paid_by_day():
    """Return what each customer paid at the end of each day, and when it came or returned."""
    rows = MrrMovement.objects.exclude(kind="held").order_by("day").values()
    levels: dict[str, Any] = {}
    came = set()
    for row in rows:
        levels.setdefault(row["customer_id"], {})[row["day"]] = row["closing"]
        if row["kind"] in {"new", "reactivation"}:
            came.add((row["customer_id"], row["day"]))
    return levels, came


def churn_of(day, levels, came):
    """Return customers lost, joined and left, and MRR lost in the 30 days that end on a day."""
    lost = joined_and_left = lost_mrr = 0
    window = [day - timedelta(days=ago) for ago in range(30)]
    for customer, closings in levels.items():

        def pays(at, closings=closings):
            return next((closings[on] for on in sorted(closings, reverse=True) if on <= at), 0)

        before, now = pays(day - timedelta(days=30)), pays(day)
        lost += before > 0 and now == 0
        arrived = any((customer, at) in came for at in window)
        joined_and_left += before == 0 and now == 0 and arrived
        lost_mrr += before - min(before, *map(pays, window))
    return lost, joined_and_left, lost_mrr


@examples(40)
@given(steps=STEPS)
def test_the_churn_of_every_day_equals_that_of_what_customers_paid(stripe, steps):  # noqa: F811
    with transaction.atomic():
        stripe.clear()
        rate("2024-02-28", "1.1")
        apply_steps(stripe, steps)
        ledger.recount({"cus_1", "cus_2"}, now=NOW)
        facts = paid_by_day()
        expected = [churn_of(day, *facts) for day in DAYS]
        kept = [(s.lost_customers, s.joined_and_left, s.lost_mrr) for s in mrr.sums(DAYS)]
        listed = [len(customer_churn.churned_customers(as_of=day)) for day in DAYS]
        transaction.set_rollback(True)
    assert kept == expected
    assert listed == [lost for lost, _, _ in expected]

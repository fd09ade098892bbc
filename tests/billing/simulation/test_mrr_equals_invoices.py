"""MRR of every day equals what the invoices that Stripe would make bring per month."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.models import FxRate, HeldObject, MrrMovement
from billing.revenue import ledger, ledger_check
from billing.stripe import loading
from tests.billing.simulation.histories import (
    COUPONS,
    CUSTOMERS,
    DAY,
    PRICES,
    START,
    STEPS,
    played,
)
from tests.billing.simulation.invoices import paid_per_month
from tests.billing.simulation.shop import coupon_json, price_json
from tests.property_tests import examples

NOW = datetime(2025, 12, 31, 9, tzinfo=UTC)
FIRST = date(2024, 1, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to(NOW, tick=False)
    FxRate.objects.bulk_create(
        FxRate(day=FIRST + timedelta(days=7 * week), currency="eur", into="usd", rate=Decimal(1))
        for week in range(105)
    )


def in_ledger(days):
    """Return the MRR of each customer at the ends of so many days."""
    paid = [dict.fromkeys(CUSTOMERS, 0) for _ in range(days)]
    for row in MrrMovement.objects.order_by("day"):
        for later in paid[(row.day - FIRST).days :]:
            later[row.customer_id] = row.closing
    return paid


def simulated(shop, days):
    ends = [START + DAY // 2 - 1 + DAY * number for number in range(days)]
    return [paid_per_month(shop, end) for end in ends]


CATALOGUE = [*map(price_json, PRICES), *map(coupon_json, COUPONS)]


@examples(120)
@given(steps=STEPS, as_ids=st.booleans(), data=st.data())
def test_mrr_of_every_day_equals_the_simulated_invoices(steps, as_ids, data):
    shop = played(steps, coupons_as_ids=as_ids)
    days = (shop.versions[-1][0] - START) // DAY + 70  # until every discount in months is over
    with transaction.atomic():
        now = data.draw(st.lists(st.sampled_from([*shop.objects()]), max_size=2))
        lines = data.draw(st.permutations([*CATALOGUE, *shop.events(), *now]))
        split = data.draw(st.integers(0, len(lines)))
        for file in (lines[:split], lines[split:]):
            loading.load(map(json.dumps, file))
        assert not list(HeldObject.objects.values_list("reason", flat=True))
        assert in_ledger(days) == simulated(shop, days)
        assert ledger_check.check() == []
        ledger.rebuild(now=NOW)
        assert in_ledger(days) == simulated(shop, days)
        transaction.set_rollback(True)

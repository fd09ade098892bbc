"""MRR at the ends of days, and what is about to change it, equal plain sums."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import MrrDay, RevenueCustomer
from billing.revenue import mrr
from billing.revenue.mrr import MrrLevel, Outlook
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

FIRST = date(2024, 2, 27)
COLUMNS = "new", "reactivation", "expansion", "contraction", "churn"
CUSTOMERS = "new_customers", "reactivated_customers", "churned_customers"
days = st.integers(0, 6).map(lambda number: FIRST + timedelta(days=number))
changes = st.tuples(
    *(st.integers(0, 2**31 - 1) for _ in COLUMNS), *(st.integers(0, 2**29) for _ in CUSTOMERS)
)
amounts = st.sampled_from([0, 0, 1, 2**40])
customers = st.lists(st.tuples(amounts, amounts, amounts, st.booleans()), max_size=6)


def level(stored, day):
    rows = [values for stored_day, values in stored.items() if stored_day <= day]
    change = sum(new + back + more - less - churn for new, back, more, less, churn, *_ in rows)
    return MrrLevel(change, sum(joined + back - left for *_, joined, back, left in rows))


@examples(60)
@given(stored=st.dictionaries(days, changes, max_size=5), wanted=st.lists(days, max_size=6))
def test_levels_of_any_days_in_any_order_are_the_sums_up_to_them(stored, wanted):
    MrrDay.objects.all().delete()
    for day, values in stored.items():
        MrrDay.objects.create(day=day, **dict(zip((*COLUMNS, *CUSTOMERS), values, strict=True)))
    assert mrr.levels(wanted) == [level(stored, day) for day in wanted]


@examples(60)
@given(customers=customers)
def test_the_outlook_is_the_sum_over_the_customers_that_are_not_excluded(customers):
    RevenueCustomer.objects.all().delete()
    for number, (at_risk, with_tax, ending, excluded) in enumerate(customers):
        RevenueCustomer.objects.create(
            customer_id=f"cus_{number}",
            mrr=1,
            at_risk=at_risk,
            with_tax=with_tax,
            scheduled_churn=ending,
            excluded=excluded,
        )
    counted = [row[:3] for row in customers if not row[3]]
    at_risk, with_tax, ending = (sum(column) for column in zip((0, 0, 0), *counted, strict=True))
    number = sum(row[2] > 0 for row in counted)
    assert mrr.outlook(as_of=date(2200, 1, 1)) == Outlook(at_risk, with_tax, ending, number)

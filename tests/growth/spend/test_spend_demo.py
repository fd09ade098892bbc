"""The demo company has spend, so that LTV:CAC has a value, and loses it again."""

import pytest

from common.calculations.statistics import Status
from growth.models import SpendDay
from growth.spend import acquisition, demo_spend
from tests.growth.spend.company import AS_OF, NOW, line, record, stored

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("customers")
def test_the_demo_covers_every_day_so_that_the_ratio_has_a_value():
    assert demo_spend.load(until=NOW, seed=1) == 3 * demo_spend.DAYS
    total = acquisition.overall(as_of=AS_OF)
    assert (total.cost.status, total.spending.uncovered) == (Status.OK, [])
    assert total.ratio is not None
    assert total.ratio > 0


@pytest.mark.usefixtures("stripe")
def test_removing_the_demo_leaves_what_staff_entered():
    demo_spend.load(until=NOW, seed=1)
    record(line(700, "2024-01-01", channel="radio"))
    demo_spend.clear()
    assert stored() == [(1, 700, 700)]


@pytest.mark.usefixtures("stripe")
def test_the_demo_adds_nothing_to_real_spend():
    record(line())
    assert demo_spend.load(until=NOW, seed=1) == 0
    assert SpendDay.objects.count() == 1

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from analytics.calculations.event_totals import Aggregation
from billing.calculations.plan import (
    Catalogue,
    Exemption,
    Limit,
    Meter,
    MeterPeriod,
    PlanTerms,
    Window,
    limit_in_force,
)
from billing.calculations.usage import (
    MeterUsage,
    Usage,
    UsageState,
    outstanding,
    previous_month,
    window,
)
from tests.billing.conftest import equal_periods
from tests.billing.limited_usage import NOW

METER = Meter(
    id=1,
    slug="runs",
    name="Runs",
    event="run",
    aggregation=Aggregation.COUNT,
    property="",
    period=MeterPeriod.MONTH,
)


def terms(slug, rank, limit=None, **options):
    values = {"is_default": rank == 0, "offered": True, "features": [], "price_ids": [slug]}
    limits = {"runs": limit} if limit else {}
    return PlanTerms(slug=slug, name=slug, rank=rank, limits=limits, **values | options)


FREE = terms("free", 0, Limit(amount=10), price_ids=[])
PRO = terms("pro", 10, Limit(amount=100))
OLD = terms("old", 15, Limit(amount=1_000), offered=False)
TEAM = terms("team", 20)
CATALOGUE = Catalogue([FREE, PRO, OLD, TEAM], [METER])


def meter_usage(used, limit, *, reserved=0):
    usage = Usage(used=Decimal(used), reserved=Decimal(reserved))
    return MeterUsage(meter=METER, plan=FREE, limit=limit, window=Window(NOW, None), usage=usage)


@pytest.mark.parametrize(
    ("limit", "ceiling"),
    [
        (Limit(amount=10), 10),
        (Limit(amount=10, grace=3), 13),
        (Limit(amount=15, grace_percent=10), 16),  # 1.5, rounded down
        (Limit(amount=10, grace=3, grace_percent=50), 15),  # the larger one
        (Limit(amount=10, hard=False), None),
    ],
)
def test_a_hard_limit_ends_after_its_grace_and_a_soft_limit_never(limit, ceiling):
    assert limit.ceiling == ceiling


@pytest.mark.parametrize(
    ("used", "limit", "state"),
    [
        (79, Limit(amount=100), UsageState.OK),
        (80, Limit(amount=100), UsageState.WARNING),
        (99, Limit(amount=100), UsageState.WARNING),
        (100, Limit(amount=100), UsageState.BLOCKED),
        (100, Limit(amount=100, grace=5), UsageState.REACHED),
        (105, Limit(amount=100, grace=5), UsageState.BLOCKED),
        (900, Limit(amount=100, hard=False), UsageState.REACHED),
        (0, Limit(amount=0), UsageState.BLOCKED),
        (900, None, UsageState.OK),
    ],
)
def test_p40_the_state_warns_from_80_percent_before_it_blocks(used, limit, state):
    assert meter_usage(used, limit).state is state


def test_p39_reservations_count_as_taken():
    taken = meter_usage(7, Limit(amount=10), reserved=2)
    assert (taken.allows(1), taken.allows(2), taken.remaining) == (True, False, 1)


@pytest.mark.parametrize(
    ("used", "threshold"), [(0, 0), (79, 0), (80, 80), (99, 80), (100, 100), (500, 100)]
)
def test_p20_reaching_a_threshold_crosses_it(used, threshold):
    assert meter_usage(used, Limit(amount=100)).crossed == threshold


def test_a_limit_of_0_gives_no_notice():
    assert meter_usage(0, Limit(amount=0)).crossed == 0


def test_reservations_do_not_cross_a_threshold():
    assert meter_usage(70, Limit(amount=100), reserved=20).crossed == 0


@pytest.mark.parametrize(
    ("used", "amounts", "up_to", "held"),
    [
        (5, 2, 7, 2),  # two granted at 5
        (6, 2, 7, 1),  # one of their events has arrived
        (7, 2, 7, 0),
        (9, 2, 7, 0),
        (5, 1, 7, 1),  # the first of them expired: no more than the other is held
        (2, 2, 7, 2),  # usage went down by an undone merge
        (5, 0, None, 0),
    ],
)
def test_arriving_events_settle_reservations(used, amounts, up_to, held):
    up_to = None if up_to is None else Decimal(up_to)
    assert outstanding(Decimal(used), amounts=Decimal(amounts), up_to=up_to) == held


@pytest.mark.parametrize(
    ("prices", "exemptions", "plan"),
    [
        ([], [], FREE),
        (["pro"], [], PRO),
        (["team", "pro"], [], TEAM),
        (["elsewhere"], [], FREE),
        ([], [Exemption(plan="pro", meter=None, amount=None)], PRO),
        (["team"], [Exemption(plan="pro", meter=None, amount=None)], TEAM),
    ],
)
def test_the_plan_is_the_highest_paid_or_granted(prices, exemptions, plan):
    assert CATALOGUE.plan_for(prices, exemptions) is plan


@pytest.mark.parametrize(
    ("amounts", "limit"), [([], 10), ([50], 50), ([50, 30], 50), ([5], 10), ([50, None], None)]
)
def test_an_exception_never_lowers_a_limit(amounts, limit):
    exemptions = [Exemption(plan=None, meter="runs", amount=amount) for amount in amounts]
    result = limit_in_force(FREE, "runs", exemptions)
    assert (result and result.amount) == limit


@pytest.mark.parametrize(
    ("plan", "needed", "suggested"),
    [(FREE, 11, PRO), (FREE, 101, TEAM), (PRO, 101, TEAM), (TEAM, 1, None)],
)
def test_the_next_offered_plan_that_is_large_enough_is_suggested(plan, needed, suggested):
    assert CATALOGUE.upgrade(plan, "runs", needed) is suggested


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def the_window(period, now, *, zone="UTC", billing=None):
    return window(period, now=now, zone=ZoneInfo(zone), billing=billing)


def test_a_month_ends_at_local_midnight_across_clock_changes():
    result = the_window(
        MeterPeriod.MONTH, datetime(2024, 3, 31, 22, tzinfo=UTC), zone="Europe/Berlin"
    )
    start, end = at("2024-04-01", "Europe/Berlin"), at("2024-05-01", "Europe/Berlin")
    assert result == Window(start, end)  # 22:00 UTC on 31 March is April there


def test_december_is_followed_by_january():
    result = the_window(MeterPeriod.MONTH, at("2024-12-31T23:59"))
    assert result == Window(at("2024-12-01"), at("2025-01-01"))


def test_a_billing_period_without_its_renewal_is_followed_by_an_equal_period():
    billing = equal_periods(at("2024-05-10"), at("2024-06-09"))  # 30 days
    result = the_window(MeterPeriod.BILLING, at("2024-06-09T00:00"), billing=billing)
    assert result == Window(at("2024-06-09"), at("2024-07-09"))


def test_the_month_before_january_is_december():
    result = previous_month(at("2024-01-15"), ZoneInfo("UTC"))
    assert result == Window(at("2023-12-01"), at("2024-01-01"))

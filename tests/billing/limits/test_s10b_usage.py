"""Limits count proved events where a person has any: claims use up no limit of theirs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from analytics.calculations.event_totals import Aggregation
from analytics.calculations.records import Proof
from billing.calculations.plan import Limit
from billing.limits import plans, reservations, simulation, usage, usage_limits, usage_notices
from billing.models import UsageMeter
from tests.billing.limited_usage import NOW, ada, limit, ran

pytestmark = pytest.mark.django_db


def backend_ran(times=1, **options) -> None:
    """Store events that the backend sent."""
    ran(times, proof=Proof.PROVED, **options)


def used(meter="workflow_runs", *, now=NOW) -> tuple[Decimal, int]:
    """Return ada's usage, and the number of claimed events that do not count."""
    measured = usage_limits.check("ada", meter, now=now).meter_usage.usage
    return measured.used, measured.claimed


def create_meter(aggregation=Aggregation.COUNT, property_="", **options) -> None:
    UsageMeter.objects.create(
        slug="mine", name="Mine", aggregation=aggregation, property=property_, **options
    )


def test_s10b_claimed_events_are_all_there_is_until_the_backend_sends_any():
    ran(3)
    assert used() == (3, 0)


def test_s10b_claimed_events_do_not_count_next_to_proved_ones():
    ran(50)
    backend_ran(2)
    assert used() == (2, 50)


def test_s10b_a_signed_event_of_their_own_frees_no_one_of_what_is_claimed():
    ran(50)
    ran(1, proof=Proof.VERIFIED)
    assert used() == (51, 0)


def test_s10b_strangers_cannot_use_up_the_limit_of_a_person_whose_usage_is_proved():
    limit(10)
    backend_ran(9)
    ran(1_000)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).allowed


def test_s10b_claims_at_the_start_of_a_month_use_up_no_limit_either():
    backend_ran(2, at=NOW.replace(day=3))
    month = NOW.replace(month=6, day=1, hour=1)
    ran(50, at=month)
    assert used(now=month) == (0, 50)


def test_s10b_proof_long_before_the_period_decides_nothing():
    backend_ran(2, at=NOW.replace(month=3, day=30))
    ran(5)
    assert used() == (5, 0)


def test_s10b_proof_of_another_meter_decides_nothing():
    backend_ran(2, event="workflow_created")
    ran(5)
    assert used() == (5, 0)


def test_s10b_proof_of_another_person_decides_nothing():
    backend_ran(2, person="ben")
    ran(5)
    assert used() == (5, 0)


def test_s10b_a_meter_of_all_events_counts_proved_ones_where_there_are_any():
    ran(5, event="page_viewed")
    backend_ran(2)
    assert used("events") == (2, 5)


def test_s10b_a_lifetime_counts_the_proved_events_of_all_time():
    backend_ran(2, event="workflow_created", at=NOW - timedelta(days=300))
    ran(5, event="workflow_created")
    assert used("workflows") == (2, 5)


@pytest.mark.parametrize(("aggregation", "total"), [("sum", 3), ("distinct", 2)])
def test_s10b_sums_and_distinct_values_read_only_proved_events(aggregation, total):
    create_meter(aggregation, "size", event="export")
    for size in (10, 20, "x"):
        ran(event="export", properties={"size": size})
    for size in (1, 2):
        backend_ran(event="export", properties={"size": size})
    assert used("mine") == (total, 3)


def test_s10b_ignored_events_are_those_among_the_counted_ones():
    create_meter("sum", "size", event="export")
    ran(4, event="export", properties={"size": "x"})
    backend_ran(event="export", properties={"size": "y"})
    measured = usage_limits.check("ada", "mine", now=NOW).meter_usage.usage
    assert (measured.ignored, measured.claimed) == (1, 4)


def test_s10b_a_reservation_is_settled_by_the_proved_event_only():
    limit(10)
    backend_ran(1, at=NOW - timedelta(minutes=1))
    reservations.reserve("ada", "workflow_runs", 2, now=NOW)
    ran(5)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).meter_usage.usage.reserved == 2
    backend_ran(2)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).meter_usage.usage.reserved == 0


def test_s10b_claims_do_not_have_a_person_notified_of_a_limit():
    limit(10)
    backend_ran(2)
    ran(100)
    assert usage_notices.notify_all(now=NOW) == 0


def test_s10b_a_person_near_a_limit_by_claims_alone_is_notified():
    limit(10)
    ran(9)
    assert usage_notices.notify_all(now=NOW) == 1


def test_s10b_old_proof_hides_no_person_near_a_limit_in_its_own_period():
    create_meter(event="export", period="billing")
    limit(10, meter="mine")
    backend_ran(1, event="export", at=NOW - timedelta(days=200))
    ran(9, event="export")
    assert used("mine") == (9, 0)
    assert usage_notices.notify_all(now=NOW) == 1


def test_s10b_the_simulation_of_a_limit_agrees_with_enforcement():
    last_month = NOW.replace(month=4)
    backend_ran(2, at=last_month)
    ran(50, at=last_month)
    ran(7, person="ben", at=last_month)
    simulated = simulation.simulate("free", "workflow_runs", Limit(amount=5), now=NOW)
    blocked = [(row.person.distinct_ids.get().pk, row.used) for row in simulated.effect.blocked]
    assert blocked == [("ben", 7)]


def test_s10b_totals_of_all_persons_equal_those_of_each():
    create_meter("sum", "size", event="export")
    for person, proved in (("ada", True), ("ben", False)):
        ran(3, person=person, event="export", properties={"size": 5})
        if proved:
            backend_ran(person=person, event="export", properties={"size": 2})
    meter = plans.catalogue().meter("mine")
    assert meter is not None
    window = usage_limits.check("ada", "mine", now=NOW).meter_usage.window
    by_person = usage.usage_by_person(meter, window, at_least=1)
    assert sorted(by_person.values()) == [2, 15]


def test_s10b_the_usage_page_and_the_api_name_the_claims_that_do_not_count(client):
    backend_ran(2)
    ran(3)
    client.force_login(User.objects.create_superuser("eve"))
    account = usage_limits.account_of_person(ada(), now=NOW)
    assert {row.meter.slug: row.usage.claimed for row in account.meter_usages}["events"] == 3
    create_meter(event="workflow_run", period="lifetime")
    page = client.get(f"/admin/billing/persons/{ada()}/usage/").content.decode()
    assert "3 claimed events not counted" in page


@pytest.mark.parametrize(("proved_only", "counted"), [(False, (5, 0)), (True, (0, 5))])
def test_s10b_a_meter_of_only_proved_events_counts_no_claims_of_anyone(proved_only, counted):
    create_meter(event="export", proved_only=proved_only)
    ran(5, event="export")
    assert used("mine") == counted


def test_s10b_claims_bring_no_one_near_the_limit_of_a_meter_of_only_proved_events():
    create_meter(event="export", proved_only=True)
    limit(10, meter="mine")
    ran(20, event="export")
    assert usage_notices.notify_all(now=NOW) == 0
    simulated = simulation.simulate("free", "mine", Limit(amount=5), now=NOW.replace(month=6))
    assert simulated.effect.blocked == []


def test_s10b_the_list_of_meters_names_those_of_only_proved_events(client):
    create_meter(event="export", proved_only=True)
    client.force_login(User.objects.create_superuser("eve"))
    assert "“export” proved events" in client.get("/admin/billing/usagemeter/").content.decode()

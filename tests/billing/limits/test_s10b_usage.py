"""Limits count proved events of persons with a proved id: claims use up no limit of theirs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from analytics.calculations.event_totals import Aggregation
from analytics.calculations.records import Proof
from analytics.models import DistinctId
from analytics.people import proving
from billing.calculations.plan import Limit
from billing.limits import plans, reservations, simulation, usage, usage_limits, usage_notices
from billing.models import UsageMeter
from billing.stripe import customers
from tests.billing.limited_usage import NOW, ada, claimed, limit, ran

pytestmark = pytest.mark.django_db


def used(meter="workflow_runs", *, now=NOW) -> tuple[Decimal, int]:
    """Return ada's usage, and the number of claimed events that do not count."""
    measured = usage_limits.check("ada", meter, now=now).meter_usage.usage
    return measured.used, measured.claimed


def create_meter(aggregation=Aggregation.COUNT, property_="", **options) -> None:
    UsageMeter.objects.create(
        slug="mine", name="Mine", aggregation=aggregation, property=property_, **options
    )


def test_s10b_claimed_events_are_all_there_is_of_a_person_without_a_proved_id():
    claimed(3)
    assert used() == (3, 0)


def test_s10b_claimed_events_do_not_count_next_to_proved_ones():
    claimed(50)
    ran(2)
    assert used() == (2, 50)


def test_s10b_claims_do_not_count_either_before_the_backend_sends_an_event_of_the_meter():
    claimed(50)
    proving.prove("ada")
    assert used() == (0, 50)


def test_s10b_claims_use_up_no_limit_of_a_paying_person():
    """H15: everyone with the public key could have a customer refused and mailed."""
    limit(10)
    claimed(20)
    customers.link_by_hand("cus_ada", "ada")
    assert usage_limits.check("ada", "workflow_runs", now=NOW).allowed
    assert usage_notices.notify_all(now=NOW) == 0


def test_s10b_a_signed_event_proves_the_id_and_is_itself_a_claim():
    claimed(50)
    ran(1, proof=Proof.VERIFIED)
    assert used() == (0, 51)


def test_s10b_any_proved_id_of_a_person_decides():
    ran(1, event="signed_up", person="ada")
    DistinctId.objects.create(pk="visitor", person_id=ada())
    claimed(5, person="visitor")
    assert used() == (0, 5)


def test_s10b_strangers_cannot_use_up_the_limit_of_a_person_whose_usage_is_proved():
    limit(10)
    ran(9)
    claimed(1_000)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).allowed


def test_s10b_claims_at_the_start_of_a_month_use_up_no_limit_either():
    ran(2, at=NOW.replace(day=3))
    month = NOW.replace(month=6, day=1, hour=1)
    claimed(50, at=month)
    assert used(now=month) == (0, 50)


def test_s10b_proof_of_any_time_and_meter_decides():
    ran(2, event="workflow_created", at=NOW - timedelta(days=400))
    claimed(5)
    assert used() == (0, 5)


def test_s10b_proof_of_another_person_decides_nothing():
    ran(2, person="ben")
    claimed(5)
    assert used() == (5, 0)


def test_s10b_a_meter_of_all_events_counts_proved_ones_where_there_are_any():
    claimed(5, event="page_viewed")
    ran(2)
    assert used("events") == (2, 5)


def test_s10b_a_lifetime_counts_the_proved_events_of_all_time():
    ran(2, event="workflow_created", at=NOW - timedelta(days=300))
    claimed(5, event="workflow_created")
    assert used("workflows") == (2, 5)


@pytest.mark.parametrize(("aggregation", "total"), [("sum", 3), ("distinct", 2)])
def test_s10b_sums_and_distinct_values_read_only_proved_events(aggregation, total):
    create_meter(aggregation, "size", event="export")
    for size in (10, 20, "x"):
        claimed(event="export", properties={"size": size})
    for size in (1, 2):
        ran(event="export", properties={"size": size})
    assert used("mine") == (total, 3)


def test_s10b_ignored_events_are_those_among_the_counted_ones():
    create_meter("sum", "size", event="export")
    claimed(4, event="export", properties={"size": "x"})
    ran(event="export", properties={"size": "y"})
    measured = usage_limits.check("ada", "mine", now=NOW).meter_usage.usage
    assert (measured.ignored, measured.claimed) == (1, 4)


def test_s10b_a_reservation_is_settled_by_the_proved_event_only():
    limit(10)
    ran(1, at=NOW - timedelta(minutes=1))
    reservations.reserve("ada", "workflow_runs", 2, now=NOW)
    claimed(5)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).meter_usage.usage.reserved == 2
    ran(2)
    assert usage_limits.check("ada", "workflow_runs", now=NOW).meter_usage.usage.reserved == 0


def test_s10b_claims_do_not_have_a_person_notified_of_a_limit():
    limit(10)
    ran(2)
    claimed(100)
    assert usage_notices.notify_all(now=NOW) == 0


def test_s10b_a_person_near_a_limit_by_claims_alone_is_notified():
    limit(10)
    claimed(9)
    assert usage_notices.notify_all(now=NOW) == 1


def test_s10b_the_simulation_of_a_limit_agrees_with_enforcement():
    last_month = NOW.replace(month=4)
    ran(2, at=last_month)
    claimed(50, at=last_month)
    claimed(7, person="ben", at=last_month)
    simulated = simulation.simulate("free", "workflow_runs", Limit(amount=5), now=NOW)
    blocked = [(row.person.distinct_ids.get().pk, row.used) for row in simulated.effect.blocked]
    assert blocked == [("ben", 7)]


def test_s10b_totals_of_all_persons_equal_those_of_each():
    create_meter("sum", "size", event="export")
    for person, proved in (("ada", True), ("ben", False)):
        claimed(3, person=person, event="export", properties={"size": 5})
        if proved:
            ran(person=person, event="export", properties={"size": 2})
    meter = plans.catalogue().meter("mine")
    assert meter is not None
    window = usage_limits.check("ada", "mine", now=NOW).meter_usage.window
    by_person = usage.usage_by_person(meter, window, at_least=1)
    assert sorted(by_person.values()) == [2, 15]


def test_s10b_the_usage_page_and_the_api_name_the_claims_that_do_not_count(client):
    ran(2)
    claimed(3)
    client.force_login(User.objects.create_superuser("eve"))
    account = usage_limits.account_of_person(ada(), now=NOW)
    assert {row.meter.slug: row.usage.claimed for row in account.meter_usages}["events"] == 3
    create_meter(event="workflow_run", period="lifetime")
    page = client.get(f"/admin/billing/persons/{ada()}/usage/").content.decode()
    assert "3 claimed events not counted" in page


def test_s10b_staff_can_let_claims_count_for_a_meter():
    create_meter(event="export", claims_count=True)
    claimed(5, event="export")
    ran(2, event="export")
    assert used("mine") == (7, 0)


def test_s10b_notices_and_simulations_count_claims_where_staff_let_them():
    create_meter(event="export", claims_count=True)
    limit(10, meter="mine")
    proving.prove("ada")
    claimed(20, event="export", at=NOW)
    proving.prove("ada")
    assert usage_notices.notify_all(now=NOW) == 1
    simulated = simulation.simulate("free", "mine", Limit(amount=5), now=NOW.replace(month=6))
    assert [row.used for row in simulated.effect.blocked] == [20]


def test_s10b_the_list_of_meters_names_those_for_which_claims_count(client):
    create_meter(event="Export", claims_count=True)
    client.force_login(User.objects.create_superuser("eve"))
    page = client.get("/admin/billing/usagemeter/").content.decode()
    assert "“Export” events, claims included" in page


def test_s10b_the_form_of_a_meter_says_what_letting_claims_count_means(client):
    client.force_login(User.objects.create_superuser("eve"))
    page = client.get("/admin/billing/usagemeter/add/").content.decode()
    assert "use up the limit of any person" in page

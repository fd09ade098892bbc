"""Usage, read from events."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import PersonMerge
from analytics.people import exclusions, unmerging
from analytics.privacy import erasure
from billing.limits import reservations, usage_limits
from billing.limits.usage_limits import account_of
from billing.models import UsageMeter
from tests.analytics.people_histories import at
from tests.billing.limited_usage import NOW, ada, price, ran
from tests.events import record
from tests.property_tests import examples

pytestmark = pytest.mark.django_db


def used(meter="workflow_runs", person="ada", *, now=NOW):
    return usage_limits.check(person, meter, now=now).meter_usage.usage.used


def create_meter(aggregation, property_="", *, period="month", event="export"):
    UsageMeter.objects.create(
        slug="mine",
        name="Mine",
        event=event,
        aggregation=aggregation,
        property=property_,
        period=period,
    )


def export(*values):
    for value in values:
        ran(event="export", properties={"size": value})


def test_the_default_meters_count_their_events():
    for event in ("workflow_created", "workflow_run", "suggestion_applied", "report_viewed"):
        ran(2, event=event)
    meter_usages = account_of("ada", now=NOW).meter_usages
    assert {row.meter.slug: int(row.usage.used) for row in meter_usages} == {
        "events": 8,
        "suggestions": 2,
        "workflow_runs": 2,
        "workflows": 2,
    }


def test_a_month_follows_the_time_zone(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    ran(at=at("2024-05-01 06:59"))  # April there
    ran(at=at("2024-05-01 07:00"))
    ran(at=at("2024-06-01 06:59"))
    ran(at=at("2024-06-01 07:00"))
    assert used() == 2


def test_a_lifetime_has_no_end():
    ran(event="workflow_created", at=at("1995-01-01"))
    ran(event="workflow_created")
    assert used("workflows") == 2
    assert account_of("ada", now=NOW).meter_usages[-1].window.end is None


def test_a_billing_period_is_the_subscriptions(paying):
    create_meter("count", period="billing")
    ran(event="export", at=at("2024-05-09 23:59"))
    ran(event="export", at=at("2024-05-10"))
    ran(event="export", at=at("2024-06-09 23:59"))
    ran(event="export", at=at("2024-06-10"))
    price("price_pro")
    paying.subscribes(ada(), "price_pro", period=("2024-05-10", "2024-06-10"))
    assert used("mine") == 2


def test_without_a_subscription_a_billing_period_is_a_month():
    create_meter("count", period="billing")
    ran(event="export", at=at("2024-04-30 23:59"))
    ran(event="export", at=at("2024-05-01"))
    assert used("mine") == 1


def test_different_values_are_those_of_json():
    create_meter("distinct", "size")
    export("a", "a", "1", 1, 1.0, None, {"x": 1}, {"x": 1}, True)
    ran(event="export")  # without the property
    assert used("mine") == 5


def test_a_sum_counts_positive_numbers_and_reports_ignored_events():
    create_meter("sum", "size")
    export(3, 0.1, 0.2, "7", -5, 0, None, True, [1], 1e300)
    ran(event="export")
    rows = account_of("ada", now=NOW).meter_usages
    [mine] = [row for row in rows if row.meter.slug == "mine"]
    assert (mine.usage.used, mine.usage.ignored) == (Decimal("3.3"), 8)


def test_a_late_event_counts_when_it_happened():
    ran(at=at("2024-04-20"))
    assert (used(), used(now=at("2024-04-25"))) == (0, 1)


def test_a_duplicate_counts_once():
    for _ in range(2):
        with transaction.atomic():
            store([record("workflow_run", timestamp=NOW, identity=UUID(int=1)) for _ in range(2)])
    assert used() == 1


def test_merged_persons_share_their_usage_until_the_merge_is_undone():
    ran(2)
    ran(3, person="laptop")
    with transaction.atomic():
        store([record("$merge_dangerously", "ada", NOW, other_id="laptop", proof=Proof.PROVED)])
    assert used() == used(person="laptop") == 5
    unmerging.undo(PersonMerge.objects.get().pk, by="staff", now=timezone.now())
    assert (used(), used(person="laptop")) == (2, 3)


def test_an_excluded_person_keeps_the_limits():
    ran(2)
    exclusions.decide([ada()], excluded=True)
    assert used() == 2


def test_an_erased_person_is_unknown():
    ran(2)
    reservations.reserve("ada", "workflow_runs", now=NOW)
    erasure.erase([ada()])
    with pytest.raises(usage_limits.UnknownName, match="ada"):
        used()


IDS = st.sampled_from(["ada", "ben", "cleo"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), IDS, st.integers(1, 12), st.integers(-40, 40)),
        st.tuples(st.just("merge"), IDS, IDS, st.just(0)),
    ),
    max_size=14,
)


@examples(40)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_usage_equals_the_raw_events_for_any_order_duplicates_and_merges(steps, chance):
    """The model: a set of events by uuid, and the ids that belong to the same person."""
    sent: dict[UUID, tuple[str, datetime]] = {}
    groups = {name: {name} for name in ("ada", "ben", "cleo")}
    batches = []
    for action, person, other, days in steps:
        if action == "run":  # the same number is the same event, sent again
            moment = NOW + timedelta(days=days)
            identity = UUID(int=other)
            sent.setdefault(identity, (person, moment))
            owner, moment = sent[identity]
            event = record("workflow_run", owner, moment, identity=identity, proof=Proof.PROVED)
            batches.append(event)
        elif person != other:
            merge = record("$merge_dangerously", person, NOW, other_id=other, proof=Proof.PROVED)
            batches.append(merge)
            groups[person] |= groups[other]
            for name in groups[person]:
                groups[name] = groups[person]
    chance.shuffle(batches)
    with transaction.atomic():
        store([record("seen", name, NOW) for name in groups])
        while batches:
            size = chance.randint(1, len(batches))
            store(batches[:size])
            del batches[:size]
        for name, ids in groups.items():
            raw = [
                m for sender, m in sent.values() if sender in ids and (m.year, m.month) == (2024, 5)
            ]
            assert used(person=name) == len(raw)
        transaction.set_rollback(True)

"""Activation, as the API answers it."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from statistics import median

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from analytics.calculations.cells import ACTIVATION_CLOCK_SKEW, DELAY_BOUNDS, delay_bucket
from analytics.insights.activation import activation_counts, median_time_to_activation
from analytics.models import Counter, Person
from analytics.models.activation_delay import ActivationDelay
from tests.analytics.people_histories import did
from tests.api import get

pytestmark = pytest.mark.django_db

MAY = {"signups_from": date(2024, 5, 1), "signups_to": date(2024, 5, 31)}


def overall(**parameters):
    return get("analytics/activation", **({"as_of": "2024-06-30"} | parameters))["overall"]


def activates(person, signup, activation):
    did(person, ("signed_up", signup), ("workflow_created", activation))


def test_activation_after_exactly_7_times_24_hours_counts():
    activates("ada", "2024-05-01 12:00", "2024-05-08 12:00")
    activates("ben", "2024-05-01 12:00", "2024-05-08 12:01")
    assert (overall()["eligible"], overall()["activated"]) == (2, 1)


def test_activation_within_24_hours_has_its_own_rate():
    activates("ada", "2024-05-01 12:00", "2024-05-02 12:00")
    activates("ben", "2024-05-02 12:00", "2024-05-05 12:00")
    quick = overall(as_of="2024-05-03")["within_24_hours"]
    assert (quick["eligible"], quick["activated"], quick["rate"]) == (2, 1, 0.5)
    assert overall(as_of="2024-05-03")["eligible"] == 0


def test_a_signup_is_eligible_once_its_seventh_day_is_over():
    activates("ada", "2024-05-01 12:00", "2024-05-01 13:00")
    assert overall(as_of="2024-05-07")["eligible"] == 0
    assert overall(as_of="2024-05-08")["eligible"] == 1


def test_clocks_may_differ_by_five_minutes():
    activates("ada", "2024-05-01 12:05", "2024-05-01 12:00")
    activates("ben", "2024-05-01 12:06", "2024-05-01 12:00")
    assert overall()["activated"] == 1
    assert overall()["median_seconds"] == 0


def test_months_are_those_of_the_time_zone(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    activates("ada", "2024-06-01 03:00", "2024-06-01 04:00")  # 31 May, 20:00
    [may, june] = get("analytics/activation", as_of="2024-06-30")["months"]
    assert (may["month"], may["signups"], may["median_seconds"]) == ("2024-05", 1, 3600)
    assert (june["month"], june["signups"], june["median_seconds"]) == ("2024-06", 0, None)


def test_median_time_covers_persons_who_activated_in_time():
    for person, hours in (("ada", 1), ("ben", 2), ("cleo", 6), ("dan", 24 * 8)):
        activates(person, "2024-05-01 00:00", f"2024-05-0{1 + hours // 24} {hours % 24:02}:00")
    assert median_time_to_activation(**MAY) == timedelta(hours=2)


def test_median_time_without_activations_is_unknown():
    assert median_time_to_activation(**MAY) is None


def test_median_time_ignores_excluded_persons():
    activates("ada", "2024-05-01 00:00", "2024-05-01 01:00")
    Person.objects.update(excluded=True)
    assert median_time_to_activation(**MAY) is None


@pytest.mark.parametrize("number", [1, 2, 5, 8])
def test_the_median_time_is_exact_whatever_buckets_the_delays_are_in(number):
    minutes = [3 * 60, 0, 45, 7 * 24 * 60, 3, 50, 26 * 60, 47][:number]
    for position, delay in enumerate(minutes):
        activation = datetime(2024, 5, 2) + timedelta(minutes=delay)
        activates(f"person-{position}", "2024-05-02 00:00", f"{activation:%Y-%m-%d %H:%M}")
    assert median_time_to_activation(**MAY) == timedelta(minutes=median(minutes))


DELAYS = [
    delay + step
    for delay in (-ACTIVATION_CLOCK_SKEW, timedelta(), *DELAY_BOUNDS)
    for step in (-timedelta(microseconds=1), timedelta(), timedelta(microseconds=1))
]


def test_postgresql_puts_every_delay_in_the_bucket_that_counts_it():
    signup = datetime(2024, 5, 2, tzinfo=UTC)
    for delay in DELAYS:
        Person.objects.create(signup_at=signup, activated_at=signup + delay)
    buckets = Person.objects.annotate(
        delay=F("activated_at") - F("signup_at"), bucket=ActivationDelay()
    ).values_list("delay", "bucket")
    in_time = {delay: bucket for delay, bucket in buckets if 1 <= bucket <= len(DELAY_BOUNDS)}
    assert in_time == {delay: delay_bucket(delay) for delay in DELAYS if delay_bucket(delay)}


def test_an_upgrade_counts_delays_as_a_rebuild_would(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    call_command("rebuild_rollups")
    for person, hours in (("ada", 1), ("ben", 40), ("cleo", 500)):
        at = datetime(2024, 5, 2, 3) + timedelta(hours=hours)
        did(person, ("signed_up", "2024-05-02 03:00"), ("workflow_created", f"{at:%Y-%m-%d %H:%M}"))
    counted = Counter.objects.filter(name="activation_delay")
    rows = sorted(counted.values_list("number", "day", "value"))
    assert rows
    migration = import_module("analytics.migrations.0024_count_activations_by_delay")
    with connection.cursor() as cursor:
        cursor.execute(migration.FORGET)
        assert not counted.exists()
        cursor.execute(migration.COUNT)
    assert sorted(counted.values_list("number", "day", "value")) == rows


def test_counts_are_plain_sums_over_signup_days():
    activates("ada", "2024-05-01 12:00", "2024-05-01 13:00")
    activates("ben", "2024-05-31 12:00", "2024-06-03 12:00")
    did("cleo", ("signed_up", "2024-06-01 12:00"))
    counts = activation_counts(**MAY)
    assert (counts.signups, counts.activated, counts.activated_quickly) == (2, 2, 1)


def test_without_signups_there_is_no_data():
    answer = overall()
    assert (answer["eligible"], answer["rate"], answer["status"]) == (0, None, "no_data")


def test_the_definition_names_the_events_in_force(settings):
    settings.PLUMBLINE_ACTIVATION_EVENT = "report_shared"
    assert "report_shared" in get("analytics/activation")["definition"]

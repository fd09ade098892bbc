"""Staff is alerted when more persons become excluded within an hour than in a usual month."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from analytics.calculations.people.exclusion_surge import Surge, busiest_hour, usual_month
from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import Exclusion, ExclusionRule, Person
from analytics.people import exclusion_records, exclusions
from analytics.people.exclusion_surges import exclusions as check
from analytics.people.exclusion_surges import usual
from common.calculations.health import Health
from tests.events import record

NOW = datetime(2026, 6, 15, 12, 30, 20, tzinfo=UTC)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


class TestBusiestHour:
    def test_there_is_none_without_exclusions(self):
        assert busiest_hour({}) is None

    def test_it_may_begin_at_any_minute(self):
        by_minute = {minutes_ago(90): 5, minutes_ago(70): 8, minutes_ago(20): 9, minutes_ago(0): 1}
        assert busiest_hour(by_minute) == Surge(minutes_ago(70), 17)

    def test_a_minute_exactly_an_hour_later_is_outside(self):
        by_minute = {minutes_ago(60): 5, minutes_ago(0): 5}
        assert busiest_hour(by_minute) == Surge(minutes_ago(60), 5)


@pytest.mark.parametrize(
    ("months", "persons"), [([], 10), ([3, 4], 10), ([500], 500), ([20, 30, 9000], 30)]
)
def test_a_usual_month_is_the_median_and_at_least_ten(months, persons):
    assert usual_month(months) == persons


def exclude(persons: int, *, at: datetime, by: str = "") -> None:
    """Exclude new persons: by a claimed value, or by hand where `by` names staff."""
    names = [f"{at:%m%d%H%M}-{number}" for number in range(persons)]
    staff = {} if by else {"$set": {"is_staff": True}}
    store([record(distinct_id=name, properties=staff) for name in names])
    ids = list(Person.objects.filter(distinct_ids__in=names).values_list("pk", flat=True))
    if by:
        exclusions.decide(ids, excluded=True, by=by)
    Exclusion.objects.filter(person__in=ids).update(began_at=at)


@pytest.mark.django_db
class TestCheck:
    @pytest.fixture(autouse=True)
    def rule(self, db):
        exclusions.save_rule(
            ExclusionRule(name="Staff", property_name="is_staff", property_value=True)
        )

    def health(self, now=NOW) -> Health:
        [component] = check(now)
        return component.health

    def test_s10b_few_exclusions_are_usual(self):
        exclude(10, at=minutes_ago(5))
        assert self.health() is Health.OK

    def test_s10b_more_within_an_hour_than_in_a_usual_month_warn(self):
        exclude(11, at=minutes_ago(5))
        [component] = check(NOW)
        assert (component.health, component.since) == (
            Health.WARNING,
            minutes_ago(5).replace(second=0),
        )
        newest = Exclusion.objects.latest("pk").person_id
        assert component.detail == (
            "11 persons became excluded within an hour of 2026-06-15 12:25 UTC; usual are up to 10"
            f" a month. Rule “Staff”, by claimed values: 11. person {newest}, person {newest - 1},"
            f" person {newest - 2}, person {newest - 3}, person {newest - 4} and 6 more."
        )
        assert reverse(component.page)

    def test_s10b_ten_times_a_usual_month_is_critical(self):
        exclude(101, at=minutes_ago(5))
        assert self.health() is Health.CRITICAL

    def test_s10b_a_company_that_excludes_many_every_month_is_not_alerted(self):
        for month in (2, 3, 4, 5):
            exclude(20, at=NOW.replace(month=month))
        exclude(20, at=minutes_ago(5))
        assert (usual(NOW, compared_with=100), self.health()) == (20, Health.OK)

    def test_s10b_one_unusual_month_does_not_hide_the_next(self):
        for month, persons in ((2, 3), (3, 60), (4, 2), (5, 4)):
            exclude(persons, at=NOW.replace(month=month))
        exclude(12, at=minutes_ago(5))
        assert self.health() is Health.WARNING

    def test_s10b_busy_months_are_counted_only_as_far_as_the_comparison_needs(self):
        for month in (4, 5):
            exclude(50, at=NOW.replace(month=month))
        assert usual(NOW, compared_with=12) == 24

    def test_s10b_the_current_month_is_not_usual_yet(self):
        exclude(40, at=NOW.replace(day=1))
        assert usual(NOW, compared_with=100) == 10

    def test_s10b_exclusions_by_staff_raise_no_alert(self):
        exclude(30, at=minutes_ago(5), by="eve")
        assert self.health() is Health.OK

    def test_s10b_a_rule_saved_by_staff_raises_no_alert(self):
        store([record(distinct_id=f"p{number}@example.com") for number in range(30)])
        exclusions.save_rule(ExclusionRule(name="Ours", email_domain="example.com"), by="eve")
        assert self.health(datetime.now(UTC)) is Health.OK

    def test_s10b_a_surge_stays_until_the_persons_are_included_again(self):
        exclude(30, at=minutes_ago(600))
        assert self.health() is Health.WARNING
        exclusions.decide(Person.objects.values_list("pk", flat=True), excluded=False, by="eve")
        assert self.health() is Health.OK

    def test_s10b_a_surge_stays_until_staff_confirm_it(self):
        exclude(30, at=minutes_ago(600))
        exclusion_records.keep(Exclusion.objects.all(), by="eve", now=NOW)
        assert self.health() is Health.OK

    def test_s10b_a_surge_is_reported_for_a_week(self):
        exclude(30, at=NOW - timedelta(days=6))
        assert self.health() is Health.WARNING
        assert self.health(NOW + timedelta(days=2)) is Health.OK

    def test_s10b_merges_with_persons_excluded_by_hand_are_named_as_such(self):
        exclude(11, at=minutes_ago(9), by="eve")
        for number in range(11):
            store([record(distinct_id=f"victim-{number}")])
            other = f"{minutes_ago(9):%m%d%H%M}-{number}"
            store([record("$identify", f"victim-{number}", other_id=other, proof=Proof.PROVED)])
        Exclusion.objects.update(began_at=minutes_ago(5))
        [component] = check(NOW)
        assert "Merged with a person excluded by hand: 11." in component.detail

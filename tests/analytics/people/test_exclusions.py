"""Excluding tests and internal people, by hand and by rules."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from analytics.calculations.cells import CounterName
from analytics.ingestion.ingest import store
from analytics.models import Counter, EventDay, ExclusionRule, Person
from analytics.people import exclusions
from analytics.people.exclusions import ExclusionEffect
from analytics.rollups import rebuild
from tests.events import NOON, record

pytestmark = pytest.mark.django_db


def active() -> int:
    counted = Counter.objects.filter(name=CounterName.ACTIVE_DAY, day=NOON.date(), number=0)
    return sum(counted.values_list("value", flat=True))


def person_with(distinct_id: str) -> Person:
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def domain(name="example.com") -> ExclusionRule:
    return ExclusionRule(name=f"Our own {name}", email_domain=name)


def internal(value=True) -> ExclusionRule:
    return ExclusionRule(name="Staff", property_name="is_staff", property_value=value)


def emails(**addresses: str) -> None:
    store(
        [
            record(distinct_id=distinct_id, properties={"$set": {"email": address}})
            for distinct_id, address in addresses.items()
        ]
    )


@pytest.fixture
def two_people():
    emails(ada="ada@example.com", ben="ben@customer.com")


@pytest.fixture(autouse=True)
def the_counters_equal_rebuilt_ones(db):
    yield
    assert rebuild.check() == []


def test_a_person_excluded_by_hand_counts_nowhere_at_once(two_people):
    assert active() == 2
    assert exclusions.decide([person_with("ada").pk], excluded=True) == ExclusionEffect(excluded=1)
    assert active() == 1
    assert EventDay.objects.get().value == 1


def test_including_again_restores_every_number(two_people):
    before = set(Counter.objects.values_list("name", "day", "number", "value"))
    exclusions.decide([person_with("ada").pk], excluded=True)
    assert exclusions.decide([person_with("ada").pk], excluded=False) == ExclusionEffect(counted=1)
    assert set(Counter.objects.values_list("name", "day", "number", "value")) == before
    assert person_with("ada").excluded_by_hand is None


def test_new_events_of_an_excluded_person_count_nowhere(two_people):
    exclusions.decide([person_with("ada").pk], excluded=True)
    store([record(), record("signed_up"), record(timestamp=NOON.replace(month=6))])
    assert (active(), EventDay.objects.get().value) == (1, 1)


def test_many_persons_are_excluded_in_steps(monkeypatch):
    monkeypatch.setattr(exclusions, "PERSONS_PER_STEP", 3)
    store([record(distinct_id=f"p{number}@example.com") for number in range(10)])
    store([record()])
    assert exclusions.save_rule(domain()) == ExclusionEffect(excluded=10)
    assert active() == 1
    assert exclusions.decide(Person.objects.values_list("pk", flat=True), excluded=False) == (
        ExclusionEffect(counted=10)
    )


@pytest.mark.parametrize("address", ["eve@example.com", "EVE@Example.Com"])
def test_a_domain_rule_matches_the_email_property(address):
    emails(eve=address)
    exclusions.save_rule(domain())
    assert person_with("eve").excluded


def test_a_domain_rule_matches_a_distinct_id_that_is_an_address():
    store([record(distinct_id="eve@example.com")])
    exclusions.save_rule(domain())
    assert person_with("eve@example.com").excluded


@pytest.mark.parametrize(
    "address", ["eve@sub.example.com", "eve@notexample.com", "example.com", "eve@example.com.org"]
)
def test_a_domain_rule_matches_no_other_address(address):
    emails(eve=address)
    assert exclusions.save_rule(domain()) == ExclusionEffect()


def test_an_underscore_in_a_domain_is_not_a_wildcard():
    emails(eve="eve@axb.com")
    assert exclusions.save_rule(domain("a_b.com")) == ExclusionEffect()


@pytest.mark.parametrize(
    ("value", "sent", "excluded"),
    [
        (True, True, True),
        (True, "true", True),
        (True, "yes", False),
        ("yes", "yes", True),
        (1, 1.0, True),
        ("a", ["a"], False),
    ],
)
def test_a_property_rule_matches_the_same_value(value, sent, excluded):
    store([record(properties={"$set": {"is_staff": sent}})])
    exclusions.save_rule(internal(value))
    assert person_with("ada").excluded is excluded


class TestTheHookInIngest:
    @pytest.fixture(autouse=True)
    def rules(self, db):
        exclusions.save_rule(domain())
        exclusions.save_rule(internal())

    def test_a_new_person_who_matches_a_rule_counts_nowhere(self):
        store([record(distinct_id="eve@example.com"), record()])
        assert person_with("eve@example.com").excluded
        assert (active(), EventDay.objects.get().value) == (1, 1)

    def test_a_property_that_a_rule_matches_excludes(self):
        store([record()])
        store([record(properties={"$set": {"is_staff": True}})])
        assert (person_with("ada").excluded, active()) == (True, 0)

    def test_a_person_who_no_longer_matches_a_rule_counts_again(self):
        store([record(properties={"$set": {"is_staff": True}})])
        store([record("$set", properties={"$unset": ["is_staff"]})])
        assert (person_with("ada").excluded, active()) == (False, 1)

    def test_another_distinct_id_excludes(self):
        store([record()])
        store([record("$create_alias", other_id="ada@example.com")])
        assert (person_with("ada").excluded, active()) == (True, 0)

    def test_a_merge_with_an_excluded_person_excludes(self):
        store([record(), record(distinct_id="anon", properties={"$set": {"is_staff": True}})])
        store([record("$identify", other_id="anon")])
        assert (person_with("anon").excluded, active()) == (True, 0)

    def test_a_merge_that_overrides_the_property_counts(self):
        store([record(properties={"$set": {"is_staff": False}})])
        store([record(distinct_id="anon", properties={"$set": {"is_staff": True}})])
        store([record("$identify", other_id="anon")])
        assert (person_with("anon").excluded, active()) == (False, 1)

    def test_a_decision_by_hand_stays(self):
        store([record(distinct_id="eve@example.com")])
        exclusions.decide([person_with("eve@example.com").pk], excluded=False)
        new = {"$set": {"is_staff": True}}
        store([record(distinct_id="eve@example.com", properties=new)])
        assert (person_with("eve@example.com").excluded, active()) == (False, 1)

    @pytest.mark.parametrize("persons", [1, 50])
    def test_it_costs_two_queries_whatever_the_number_of_new_persons(self, persons):
        with CaptureQueriesContext(connection) as captured:
            store([record(distinct_id=f"p{number}") for number in range(persons)])
        queries = [query["sql"] for query in captured if "exclu" in query["sql"]]
        assert len([sql for sql in queries if sql.startswith("SELECT")]) == 2


def test_changing_a_rule_includes_some_persons_and_excludes_others(two_people):
    rule = domain()
    exclusions.save_rule(rule)
    rule.email_domain = "customer.com"
    assert exclusions.save_rule(rule) == ExclusionEffect(excluded=1, counted=1)
    assert (person_with("ada").excluded, person_with("ben").excluded) == (False, True)


def test_deleting_a_rule_includes_persons_whom_no_other_rule_matches(two_people):
    store([record(properties={"$set": {"is_staff": True}})])
    for rule in (domain(), domain("customer.com"), internal()):
        exclusions.save_rule(rule)
    rules = ExclusionRule.objects.exclude(email_domain="")
    assert exclusions.delete_rules(rules) == ExclusionEffect(counted=1)
    assert (person_with("ada").excluded, person_with("ben").excluded) == (True, False)


def test_a_person_excluded_by_hand_stays_excluded_when_a_rule_is_deleted(two_people):
    exclusions.decide([person_with("ada").pk], excluded=True)
    exclusions.save_rule(domain())
    assert exclusions.delete_rules(ExclusionRule.objects.all()) == ExclusionEffect()
    assert person_with("ada").excluded


def test_a_decision_against_a_rule_can_be_reversed(two_people):
    exclusions.save_rule(domain())
    for excluded, kept in ((False, False), (True, None)):
        exclusions.decide([person_with("ada").pk], excluded=excluded)
        assert (person_with("ada").excluded, person_with("ada").excluded_by_hand) == (
            excluded,
            kept,
        )


def test_a_preview_counts_the_persons_a_rule_matches_and_changes_nothing(two_people):
    emails(eve="eve@example.com")
    exclusions.decide([person_with("eve").pk], excluded=True)
    preview = exclusions.preview(domain())
    assert (preview.matching, preview.effect, preview.counted) == (
        2,
        ExclusionEffect(excluded=1),
        2,
    )
    assert preview.examples == [person_with("eve"), person_with("ada")]
    assert (active(), ExclusionRule.objects.exists()) == (2, False)


def test_the_preview_of_a_changed_rule_counts_the_persons_it_includes_again(two_people):
    rule = domain()
    exclusions.save_rule(rule)
    rule.email_domain = "nowhere.org"
    assert exclusions.preview(rule).effect == ExclusionEffect(counted=1)


def test_the_rules_that_match_a_person_are_listed(two_people):
    exclusions.save_rule(domain())
    exclusions.save_rule(internal())
    assert [rule.name for rule in exclusions.rules_about(person_with("ada"))] == [
        "Our own example.com"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"email_domain": "example.com", "property_name": "plan", "property_value": "test"},
        {"property_name": "plan"},
        {"property_value": "test"},
    ],
)
def test_the_database_refuses_rules_of_two_kinds(fields):
    with pytest.raises(IntegrityError, match="of_one_kind"), transaction.atomic():
        ExclusionRule.objects.create(name="odd", **fields)

"""The record of exclusions: one for each excluded person, whichever way it was excluded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import Exclusion, ExclusionRule, Person
from analytics.people import exclusion_records, exclusions, manual_merging
from analytics.privacy import erasure
from analytics.privacy.export import export
from tests.analytics.people.proof import person_with, prove
from tests.events import record

pytestmark = pytest.mark.django_db

Cause = Exclusion.Cause


def domain() -> ExclusionRule:
    return ExclusionRule(name="Ours", email_domain="example.com")


def staff() -> ExclusionRule:
    return ExclusionRule(name="Staff", property_name="is_staff", property_value=True)


def claim(distinct_id="ada", **properties) -> None:
    store([record(distinct_id=distinct_id, properties={"$set": properties})])


def the_record() -> tuple:
    return Exclusion.objects.values_list("cause", "rule", "value", "proved", "by").get()


@pytest.fixture(autouse=True)
def each_excluded_person_has_one_exclusion_in_force(db):
    yield
    recorded = exclusion_records.in_force().values_list("person", flat=True)
    excluded = Person.objects.filter(excluded=True).values_list("pk", flat=True)
    assert sorted(recorded) == sorted(excluded)


def test_s10b_events_that_exclude_are_recorded_with_the_claimed_value():
    exclusions.save_rule(staff(), by="eve")
    claim(is_staff=True)
    assert the_record() == (Cause.ARRIVAL, "Staff", "is_staff = true", False, "")


@pytest.mark.parametrize(
    ("distinct_id", "properties", "value"),
    [
        ("ada", {"email": "Ada@Example.com"}, "Ada@Example.com"),
        ("ada@example.com", {}, "ada@example.com"),
        ("ada@example.com", {"email": "x@other.org"}, "ada@example.com"),
        ("ada", {"email": f"{'a' * 500}@example.com"}, "a" * 200),
    ],
)
def test_s10b_the_address_that_a_domain_rule_matched_is_recorded(distinct_id, properties, value):
    exclusions.save_rule(domain())
    claim(distinct_id, **properties)
    assert the_record() == (Cause.ARRIVAL, "Ours", value, False, "")


def test_s10b_a_proved_value_is_recorded_as_such():
    claim()
    prove("ada", is_staff=True)
    exclusions.save_rule(staff(), by="eve")
    assert the_record() == (Cause.RULES, "Staff", "is_staff = true", True, "eve")


def test_s10b_the_first_of_several_matching_rules_is_recorded():
    for rule in (staff(), domain()):
        exclusions.save_rule(rule)
    claim(is_staff=True, email="ada@example.com")
    assert the_record()[1:3] == ("Ours", "ada@example.com")


def test_s10b_an_exclusion_by_hand_names_who_decided_even_where_a_rule_matches():
    claim()
    exclusions.decide([person_with("ada").pk], excluded=True, by="eve")
    assert the_record() == (Cause.HAND, "", "", None, "eve")


def test_s10b_including_again_ends_the_exclusion_and_names_who_did_it():
    claim()
    for excluded, by in ((True, "eve"), (False, "ben")):
        exclusions.decide([person_with("ada").pk], excluded=excluded, by=by)
    ended = Exclusion.objects.get()
    assert (ended.by, ended.ended_by, ended.ended_at is not None) == ("eve", "ben", True)


def test_s10b_events_that_include_again_end_the_exclusion():
    exclusions.save_rule(staff())
    claim(is_staff=True)
    claim(is_staff=False)
    assert (Exclusion.objects.get().ended_at is not None, the_record()[4]) == (True, "")


def test_s10b_a_merge_with_a_person_excluded_by_claims_is_recorded():
    exclusions.save_rule(staff())
    claim("anon", is_staff=True)
    claim("ada")
    store([record("$identify", other_id="anon")])
    assert person_with("ada").excluded
    assert the_record() == (Cause.ARRIVAL, "Staff", "is_staff = true", False, "")


def test_s10b_a_merge_with_a_person_excluded_by_hand_is_recorded_without_rules():
    claim("anon")
    claim("ada")
    exclusions.decide([person_with("anon").pk], excluded=True, by="eve")
    store([record("$identify", other_id="anon", proof=Proof.PROVED)])
    assert person_with("ada").excluded
    assert the_record() == (Cause.ARRIVAL, "", "", None, "")


def test_s10b_a_merge_that_includes_a_person_ends_the_exclusion():
    exclusions.save_rule(staff())
    claim("anon", is_staff=True)
    claim("ada", is_staff=False)
    store([record("$identify", other_id="anon")])
    assert not person_with("ada").excluded


def test_s10b_a_merge_by_staff_is_recorded_with_its_user():
    claim("anon")
    claim("ada")
    other = person_with("anon").pk
    exclusions.decide([other], excluded=True, by="eve")
    manual_merging.merge(person_with("ada").pk, "anon", other_id=other, by="ben")
    assert the_record() == (Cause.MERGE, "", "", None, "ben")


def test_s10b_erasing_a_person_erases_its_exclusions():
    claim()
    exclusions.decide([person_with("ada").pk], excluded=True)
    erasure.erase([person_with("ada").pk])
    assert not Exclusion.objects.exists()


def test_s10b_exclusions_that_ended_long_ago_are_deleted():
    for distinct_id in ("ada", "ben", "eve"):
        claim(distinct_id)
        exclusions.decide([person_with(distinct_id).pk], excluded=True)
    exclusions.decide([person_with("ada").pk, person_with("ben").pk], excluded=False)
    now = timezone.now()
    Exclusion.objects.update(began_at=now - timedelta(days=900))
    ben = Exclusion.objects.filter(person=person_with("ben"))
    ben.update(ended_at=now - exclusion_records.KEPT_FOR - timedelta(days=1))
    exclusion_records.delete_old(now)
    kept = Exclusion.objects.values_list("person", flat=True)
    assert sorted(kept) == sorted([person_with("ada").pk, person_with("eve").pk])


def test_s10b_erasing_a_person_cleans_the_exclusions_of_others_that_name_it():
    rule = ExclusionRule(name="Bots", property_name="invited_by", property_value="ada@example.com")
    exclusions.save_rule(rule)
    claim("ada")
    prove("ada", email="ada@example.com")
    claim("ben", invited_by="ada@example.com")
    assert "ada@example.com" in the_record()[2]
    erasure.erase([person_with("ada").pk])
    assert "ada" not in Exclusion.objects.values_list("value", flat=True).get()


def test_s10b_the_export_of_a_person_has_its_exclusions():
    claim()
    exclusions.decide([person_with("ada").pk], excluded=True, by="eve")
    assert b'"cause":"hand"' in b"".join(export(person_with("ada")))

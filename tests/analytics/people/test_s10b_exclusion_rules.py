"""Exclusion rules read what is proved about a protected person, and what is claimed of others."""

import pytest
from django.db import connection, transaction

from analytics.ingestion.ingest import store
from analytics.models import DistinctId, ExclusionRule, Person
from analytics.people import exclusions
from analytics.people.exclusions import ExclusionEffect
from analytics.rollups import rebuild
from common.locks import Lock, locked_cursor
from tests.analytics.people.proof import person_with, prove
from tests.events import record

pytestmark = pytest.mark.django_db

DOMAIN = {"email_domain": "example.com"}
STAFF = {"property_name": "is_staff", "property_value": True}


@pytest.fixture(autouse=True)
def the_counters_equal_rebuilt_ones(db):
    yield
    assert rebuild.check() == []


def rule(**condition) -> ExclusionRule:
    return ExclusionRule(name="Ours", **condition)


def claim(distinct_id="ada", **properties) -> None:
    store([record(distinct_id=distinct_id, properties={"$set": properties})])


def apply_to(distinct_id: str) -> None:
    """Apply the rules as ingest does after a person's proof has changed."""
    with transaction.atomic():
        exclusions.apply_rules(locked_cursor(Lock.IDENTITY), [person_with(distinct_id).pk])


CLAIMS = [(STAFF, {"is_staff": True}), (DOMAIN, {"email": "ada@example.com"})]


@pytest.mark.parametrize(("condition", "properties"), CLAIMS)
def test_s10b_a_claimed_value_does_not_exclude_a_protected_person(condition, properties):
    claim()
    prove("ada")
    exclusions.save_rule(rule(**condition))
    claim(**properties)
    assert not person_with("ada").excluded


@pytest.mark.parametrize(("condition", "properties"), CLAIMS)
def test_s10b_a_rule_saved_later_ignores_claims_about_a_protected_person(condition, properties):
    claim(**properties)
    prove("ada")
    assert exclusions.preview(rule(**condition)).matching == 0
    assert exclusions.save_rule(rule(**condition)) == ExclusionEffect()


@pytest.mark.parametrize(("condition", "properties"), CLAIMS)
def test_s10b_a_claimed_value_excludes_an_unprotected_person(condition, properties):
    exclusions.save_rule(rule(**condition))
    claim(**properties)
    assert person_with("ada").excluded


@pytest.mark.parametrize(("condition", "properties"), CLAIMS)
def test_s10b_a_proved_value_excludes_a_protected_person(condition, properties):
    claim()
    prove("ada", **properties)
    assert exclusions.save_rule(rule(**condition)) == ExclusionEffect(excluded=1)


def test_s10b_another_proved_property_proves_nothing_about_the_one_a_rule_reads():
    claim(is_staff=True)
    prove("ada", plan="pro")
    assert exclusions.save_rule(rule(**STAFF)) == ExclusionEffect()


def test_s10b_a_claimed_distinct_id_does_not_exclude_a_protected_person():
    claim()
    prove("ada")
    DistinctId.objects.create(distinct_id="eve@example.com", person=person_with("ada"))
    assert exclusions.save_rule(rule(**DOMAIN)) == ExclusionEffect()


def test_s10b_a_claimed_distinct_id_excludes_an_unprotected_person():
    claim("eve@example.com")
    assert exclusions.save_rule(rule(**DOMAIN)) == ExclusionEffect(excluded=1)


def test_s10b_a_proved_distinct_id_excludes():
    claim("eve@example.com")
    prove("eve@example.com")
    assert exclusions.save_rule(rule(**DOMAIN)) == ExclusionEffect(excluded=1)


def test_s10b_one_persons_proof_leaves_another_person_to_claims():
    claim("ada", is_staff=True)
    claim("ben", is_staff=True)
    prove("ben")
    exclusions.save_rule(rule(**STAFF))
    assert (person_with("ada").excluded, person_with("ben").excluded) == (True, False)


def test_s10b_a_person_excluded_by_claims_is_included_once_protected():
    exclusions.save_rule(rule(**STAFF))
    claim(is_staff=True)
    prove("ada")
    apply_to("ada")
    assert not person_with("ada").excluded


def test_s10b_a_person_is_excluded_once_the_value_is_proved():
    exclusions.save_rule(rule(**STAFF))
    claim(is_staff=True)
    prove("ada")
    apply_to("ada")
    prove("ada", is_staff=True)
    apply_to("ada")
    assert person_with("ada").excluded


def test_s10b_a_claim_does_not_include_a_person_whom_proof_excludes():
    claim()
    prove("ada", is_staff=True)
    exclusions.save_rule(rule(**STAFF))
    person_with("ada").distinct_ids.create(distinct_id="phone")
    Person.objects.update(claimed={"is_staff": False})
    apply_to("ada")
    assert person_with("ada").excluded


def test_s10b_the_persons_list_and_page_name_the_same_persons_as_the_rule():
    claim("ada", is_staff=True)
    claim("ben", is_staff=True)
    prove("ben")
    saved = rule(**STAFF)
    exclusions.save_rule(saved)
    assert list(exclusions.matching(saved)) == [person_with("ada")]
    assert exclusions.rules_about(person_with("ben")) == []


def test_protected_persons_are_those_with_any_proved_id():
    claim("ada")
    claim("ben")
    DistinctId.objects.create(distinct_id="ada-2", person=person_with("ada"), proved=True)
    assert list(Person.objects.protected()) == [person_with("ada")]


def test_a_rule_on_a_property_reads_the_index_of_properties():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "person_properties" in exclusions.matching(rule(**STAFF)).explain()

"""Exclusions and limits as events with the public key and with a server key decide them."""

import pytest

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import Exclusion, ExclusionRule
from analytics.people import exclusions, proving
from analytics.rollups import rebuild
from tests.analytics.people.proof import person_with
from tests.events import record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules(db):
    exclusions.save_rule(ExclusionRule(name="Ours", email_domain="example.com"))
    exclusions.save_rule(ExclusionRule(name="Staff", property_name="is_staff", property_value=True))
    yield
    assert rebuild.check() == []


def public(distinct_id="ada", event="$set", *, other_id=None, **properties) -> None:
    changes = {"$set": properties} if properties else {}
    store([record(event, distinct_id, properties=changes, other_id=other_id)])


def server(distinct_id="ada", event="$set", *, other_id=None, **properties) -> None:
    changes = {"$set": properties} if properties else {}
    store([record(event, distinct_id, properties=changes, other_id=other_id, proof=Proof.PROVED)])


def is_excluded(distinct_id="ada") -> bool:
    return person_with(distinct_id).excluded


@pytest.mark.parametrize("properties", [{"is_staff": True}, {"email": "ada@example.com"}])
def test_s10b_the_public_key_excludes_no_person_whom_the_backend_names(properties):
    server(event="workflow_run")
    public(**properties)
    assert not is_excluded()


@pytest.mark.parametrize("properties", [{"is_staff": True}, {"email": "ada@example.com"}])
def test_s10b_the_backend_excludes_and_the_public_key_includes_no_one(properties):
    server(**properties)
    public(is_staff=False, email="ada@other.org")
    assert is_excluded()
    assert Exclusion.objects.get().proved


def test_s10b_a_person_whom_claims_excluded_is_included_when_the_backend_names_it():
    public(is_staff=True)
    assert is_excluded()
    server(event="workflow_run")
    assert not is_excluded()
    assert Exclusion.objects.get().ended_at is not None


def test_s10b_a_person_whom_claims_excluded_is_included_when_its_id_is_proved():
    public(is_staff=True)
    proving.prove("ada")
    assert not is_excluded()


@pytest.mark.parametrize("event", ["$identify", "$create_alias", "$merge_dangerously"])
def test_s10b_a_claimed_merge_excludes_no_person_whom_the_backend_names(event):
    server(event="workflow_run")
    public("ada@example.com", is_staff=True)
    public("ada", event, other_id="ada@example.com")
    public("ada@example.com", event, other_id="ada")
    assert not is_excluded()


def test_s10b_an_id_of_ours_that_is_only_claimed_excludes_no_person_whom_the_backend_names():
    server(event="workflow_run")
    public("ada", "$create_alias", other_id="eve@example.com")
    assert not is_excluded()


def test_s10b_an_id_that_is_split_off_takes_its_exclusion_along():
    public("ada", "$create_alias", other_id="eve@example.com")
    assert is_excluded()
    server("ada", "workflow_run")
    server("eve@example.com", "workflow_run")
    assert (is_excluded("ada"), is_excluded("eve@example.com")) == (False, True)

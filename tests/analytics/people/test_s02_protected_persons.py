"""S02: what is claimed with the public key changes no protected person."""

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import DistinctId, Event, Person, PersonMerge
from analytics.people import proving
from analytics.rollups import rebuild
from tests.events import record

pytestmark = pytest.mark.django_db

LINKING = ["$identify", "$create_alias", "$merge_dangerously"]


def persons():
    """Return the persons as sets of their distinct ids."""
    rows = Person.objects.prefetch_related("distinct_ids")
    return sorted(sorted(row.distinct_id for row in person.distinct_ids.all()) for person in rows)


def last_result():
    return PersonMerge.objects.latest("pk").result


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


@pytest.fixture
def victim():
    """A person whom the backend knows, and an anonymous one."""
    store([record(distinct_id="victim", proof=Proof.PROVED), record(distinct_id="attacker")])


def link(event, distinct_id, other_id, proof=Proof.CLAIMED, **more):
    store([record(event, distinct_id, other_id=other_id, proof=proof, **more)])


@pytest.mark.parametrize("event", LINKING)
@pytest.mark.parametrize("ids", [("attacker", "victim"), ("victim", "attacker")])
def test_s02_no_claim_merges_a_protected_person(victim, event, ids):
    link(event, *ids)
    assert persons() == [["attacker"], ["victim"]]
    assert last_result() == ("unproved" if event == "$merge_dangerously" else "protected")


@pytest.mark.parametrize("event", LINKING)
@pytest.mark.parametrize("ids", [("new", "victim"), ("victim", "new")])
def test_s02_no_claim_adds_an_id_to_a_protected_person(victim, event, ids):
    link(event, *ids)
    assert ["victim"] in persons()


def test_s02_a_claimed_merge_dangerously_merges_no_one():
    store([record("$identify", "ada"), record("$identify", "ben")])
    link("$merge_dangerously", "ada", "ben")
    assert (persons(), last_result()) == ([["ada"], ["ben"]], "unproved")


def test_s02_a_verified_identity_absorbs_an_anonymous_person_only(victim):
    link("$identify", "victim", "attacker", proof=Proof.VERIFIED)
    assert persons() == [["attacker", "victim"]]
    store([record(distinct_id="other", proof=Proof.PROVED)])
    link("$merge_dangerously", "victim", "other", proof=Proof.VERIFIED)
    assert (persons(), last_result()) == ([["attacker", "victim"], ["other"]], "protected")


def test_s02_the_backend_merges_protected_persons(victim):
    store([record(distinct_id="other", proof=Proof.PROVED)])
    link("$merge_dangerously", "victim", "other", proof=Proof.PROVED)
    assert persons() == [["attacker"], ["other", "victim"]]


@pytest.mark.parametrize("event", ["$identify", "$create_alias"])
@pytest.mark.parametrize("own", ["attacker", "new"])
def test_s02_a_backend_that_passes_on_a_browsers_id_merges_no_protected_person(victim, event, own):
    link(event, own, "victim", proof=Proof.PROVED)  # the browser called itself "victim"
    assert (["victim"] in persons(), last_result()) == (True, "protected")


def test_s02_an_id_claimed_before_its_owner_came_is_split_off_once_proved():
    link("$create_alias", "attacker", "victim")  # the id of a customer to come
    store([record(distinct_id="attacker", proof=Proof.PROVED)])
    store([record(distinct_id="victim", proof=Proof.PROVED)])
    assert (persons(), last_result()) == ([["attacker"], ["victim"]], "split")
    assert Event.objects.filter(person=person("victim")).count() == 1
    assert rebuild.check() == []


def test_s02_claims_join_no_ids_that_are_proved_in_a_single_batch():
    link("$create_alias", "ada", "ben")
    store([record(distinct_id=distinct_id, proof=Proof.PROVED) for distinct_id in ("ada", "ben")])
    assert persons() == [["ada"], ["ben"]]


def test_s02_an_id_that_the_api_names_is_split_off(victim):
    link("$create_alias", "attacker", "another")
    store([record(distinct_id="attacker", proof=Proof.PROVED)])
    proving.prove("another")
    assert ["another"] in persons()
    assert PersonMerge.objects.get(result="split").cause == "API"
    assert rebuild.check() == []


@pytest.fixture
def staff(admin_user):
    client = APIClient()
    client.force_login(admin_user)
    return client


@pytest.fixture
def squatted():
    """An attacker's id that was claimed to be the person whom the backend knows."""
    link("$create_alias", "attacker", "ada")
    proving.prove("ada")
    store([record("$set", "ada", properties={"$set": {"name": "Ada"}}, proof=Proof.PROVED)])


def test_s08_erasing_by_a_claimed_id_erases_no_one_else(squatted, staff):
    assert staff.delete("/api/analytics/persons/attacker").status_code == 200
    assert persons() == [["ada"]]


def test_s08_an_export_by_a_claimed_id_holds_no_other_person(squatted, staff):
    export = staff.get("/api/analytics/persons/attacker/export")
    assert b"Ada" not in b"".join(export.streaming_content)


@pytest.mark.parametrize("command", ["erase_person", "export_person"])
def test_s08_a_command_with_a_claimed_id_leaves_others_alone(squatted, command, capsys):
    call_command(command, "attacker")
    assert ["ada"] in persons()
    assert "Ada" not in capsys.readouterr().out


def test_s02_proof_of_the_only_known_id_keeps_what_was_claimed():
    link("$identify", "ada", "anon")
    store([record(distinct_id="ada", proof=Proof.PROVED)])
    proving.prove("ada")
    assert persons() == [["ada", "anon"]]
    assert set(DistinctId.objects.filter(proved=True).values_list("pk", flat=True)) == {"ada"}


@pytest.mark.parametrize("placeholder", ["anonymous", "null", "undefined"])
def test_s02_a_placeholder_is_never_proved(placeholder):
    store([record(distinct_id=placeholder, proof=Proof.PROVED)])
    assert not DistinctId.objects.filter(proved=True).exists()


@pytest.mark.parametrize("change", ["$set", "$set_once"])
def test_s01_a_claim_never_changes_a_proved_property(change):
    proved = {"$set": {"email": "ada@example.com"}}
    store([record("$set", "ada", properties=proved, proof=Proof.PROVED)])
    store([record("$set", "ada", properties={change: {"email": "eve@example.com"}})])
    store([record("$set", "ada", properties={"$unset": ["email"]})])
    assert person("ada").properties == person("ada").proved == {"email": "ada@example.com"}


def test_s01_a_contradicting_claim_is_kept_beside_the_proved_value():
    store([record("$set", "ada", properties={"$set": {"plan": "pro"}}, proof=Proof.PROVED)])
    store([record("$set", "ada", properties={"$set": {"plan": "free"}})])
    assert person("ada").claimed == {"plan": "free"}


@pytest.mark.parametrize("proof", [Proof.CLAIMED, Proof.VERIFIED])
def test_s01_what_a_browser_says_about_itself_is_not_proved(proof):
    set_email = {"$set": {"email": "eve@example.com"}}
    store([record("$set", "eve", properties=set_email, proof=proof, project_key_id=7)])
    eve = person("eve")
    assert (eve.proved, eve.properties, eve.email_claimed_with) == ({}, set_email["$set"], 7)

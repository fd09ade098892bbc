"""S08: what was only claimed to be the erased person's acts on no one else."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from analytics.capture import erased_ids
from analytics.models import Event, ExclusionRule, Group, Person, RejectedEvent
from analytics.people import exclusions
from analytics.privacy import erasure
from growth.suppression import suppressions
from tests import sdk

pytestmark = pytest.mark.django_db

ADDRESS = "cfo@bigcorp.example"


@pytest.fixture
def server(db):
    return sdk.server_key()


def send(key, name, distinct_id, **properties):
    event = {"event": name, "distinct_id": distinct_id, "properties": properties}
    assert sdk.post("/batch/", {"api_key": key, "batch": [event]}).status_code == 200
    sdk.ingest()


@pytest.fixture
def claim(server):
    """Have an attacker claim an id and properties with the public key, and then sign up."""

    def claim(other_id="anon-1234", **properties):
        more = {"$anon_distinct_id": other_id, "$set": properties}
        send(sdk.key(), "$identify", "att-customer", **more)
        send(server, "signed_up", "att-customer")
        send(sdk.key(), "$identify", "att-customer", **more)
        assert {"att-customer", other_id} <= ids_of(person("att-customer"))

    return claim


def erase_attacker(query=""):
    client = APIClient()
    client.force_login(User.objects.create_superuser("eve"))
    return client.delete(f"/api/analytics/persons/att-customer{query}").json()


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


def ids_of(row):
    return set(row.distinct_ids.values_list("pk", flat=True))


def test_s08_events_of_a_later_customer_whose_id_was_claimed_are_stored(server, claim):
    claim("customer-2041")
    erase_attacker()
    send(server, "signed_up", "customer-2041")
    assert Event.objects.get().distinct_id == "customer-2041"
    assert erased_ids.among(["customer-2041", "att-customer"]) == {"att-customer"}


def test_s08_events_of_a_claimed_id_go_with_the_person(claim):
    send(sdk.key(), "used", "anon-1234")
    claim("anon-1234")
    erase_attacker()
    assert not Event.objects.exists()


def test_s08_an_event_that_waits_and_proves_a_claimed_id_is_kept(server, claim):
    claim("customer-2041")
    event = {"event": "signed_up", "distinct_id": "customer-2041"}
    sdk.post("/batch/", {"api_key": server, "batch": [event]})
    erase_attacker()
    assert Event.objects.get(event="signed_up").distinct_id == "customer-2041"


def test_s08_a_group_whose_key_was_claimed_stays(server, claim):
    named = {"$group_type": "company", "$group_key": "acme-inc", "$group_set": {"by": "acme-inc"}}
    send(server, "$groupidentify", "ben-customer", **named)
    claim("acme-inc")
    erase_attacker()
    group = Group.objects.get()
    assert (group.group_key, group.properties) == ("acme-inc", {"by": "acme-inc"})


@pytest.mark.parametrize("value", ["internal-team", ADDRESS])
def test_s08_an_exclusion_rule_whose_value_was_claimed_stays(claim, value):
    rule = ExclusionRule(name=f"Of {value}", property_name="team", property_value=value)
    exclusions.save_rule(rule)
    claim(value, backup_email=value)
    erase_attacker()
    rule.refresh_from_db()
    assert (rule.name, rule.property_value) == (f"Of {value}", value)


def test_s08_claims_change_neither_profiles_nor_events_of_others(server, claim):
    proved = {"tier": "platinum-tier", "billing_email": ADDRESS}
    send(server, "upgraded", "ben-customer", **{"$set": proved}, **proved)
    claim("platinum-tier", backup_email=ADDRESS)
    erase_attacker("?search_events=true")
    assert person("ben-customer").proved == person("ben-customer").properties == proved
    assert Event.objects.get().properties == {"$set": proved, **proved}


def test_s08_claims_of_others_lose_a_proved_address_but_proved_values_stay(server, claim):
    claim()
    send(server, "used", "att-customer", **{"$set": {"email": ADDRESS}})
    send(server, "used", "ben-customer", **{"$set": {"approver": ADDRESS}})
    send(sdk.key(), "used", "ben-customer", **{"$set": {"approver": "zoe", "friend": ADDRESS}})
    erase_attacker("?search_events=true")
    ben = person("ben-customer")
    assert ben.proved == {"approver": ADDRESS}
    assert ben.properties == {"approver": ADDRESS, "friend": None}


def test_s08_a_group_whose_key_is_a_proved_id_stays_without_it(server, claim):
    named = {"$group_type": "user", "$group_key": "att-customer", "$group_set": {"seats": 5}}
    send(server, "$groupidentify", "ben-customer", **named)
    claim()
    erase_attacker()
    group = Group.objects.get()
    assert (group.group_key, group.properties) == (f"(erased) {group.pk}", {"seats": 5})


def test_s08_a_rule_about_a_proved_address_stays_and_matches_no_one(server, claim):
    claim()
    send(server, "used", "att-customer", **{"$set": {"email": ADDRESS}})
    send(server, "used", "ben-customer", **{"$set": {"email_of_owner": ADDRESS}})
    rule = ExclusionRule(name="Owner", property_name="email_of_owner", property_value=ADDRESS)
    exclusions.save_rule(rule)
    erase_attacker()
    rule.refresh_from_db()
    assert (rule.name, rule.property_value) == ("Owner", "(erased)")
    assert not person("ben-customer").excluded


def test_s08_rejected_events_that_name_a_claimed_id_go_but_not_those_of_a_server(server, claim):
    claim("customer-2041")
    for key in (server, sdk.key()):
        event = {"event": "", "distinct_id": "customer-2041"}
        sdk.post("/batch/", {"api_key": key, "batch": [event]})
    erase_attacker()
    assert RejectedEvent.objects.get().project_key.is_server


def test_s08_all_ids_of_a_person_without_proof_are_remembered():
    send(sdk.key(), "used", "anon-1234")
    send(sdk.key(), "$identify", "guest-5678", **{"$anon_distinct_id": "anon-1234"})
    erasure.erase([person("guest-5678").pk])
    assert len(erased_ids.among(["anon-1234", "guest-5678"])) == 2


def test_s08_the_claimed_ids_of_a_person_without_proof_act_on_no_group():
    Group.objects.create(group_type="company", group_key="acme-inc")
    send(sdk.key(), "used", "acme-inc")
    send(sdk.key(), "$identify", "guest-5678", **{"$anon_distinct_id": "acme-inc"})
    erasure.erase([person("guest-5678").pk])
    assert Group.objects.get().group_key == "acme-inc"


def test_s08_the_claimed_address_of_a_person_without_proof_is_searched_in_claims_only():
    send(sdk.key(), "used", "guest-5678", **{"$set": {"email": ADDRESS}})
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [{"event": "", "distinct_id": ADDRESS}]})
    group = Group.objects.create(group_type="x", group_key="x", properties={"by": ADDRESS})
    erasure.erase([person("guest-5678").pk])
    group.refresh_from_db()
    assert group.properties == {"by": ADDRESS}
    assert not RejectedEvent.objects.exists()


def with_proved_address(server, distinct_id="att-customer"):
    send(server, "used", distinct_id, **{"$set": {"email": ADDRESS}})


def reject_what_names_the_address():
    event = {"event": "", "distinct_id": "someone", "properties": {"to": ADDRESS}}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [event]})
    assert RejectedEvent.objects.exists()


@pytest.mark.parametrize(("distinct_id", "claimed"), [("stranger", ADDRESS), (ADDRESS, "x")])
def test_s08_a_strangers_claim_keeps_nothing_of_a_proved_address(server, distinct_id, claimed):
    with_proved_address(server)
    send(sdk.key(), "used", distinct_id, **{"$set": {"email": claimed}})
    reject_what_names_the_address()
    erase_attacker()
    assert not RejectedEvent.objects.exists()
    assert suppressions.is_suppressed(ADDRESS)


def test_s08_an_address_that_is_proved_of_another_person_too_is_kept(server):
    with_proved_address(server)
    with_proved_address(server, "ben-customer")
    reject_what_names_the_address()
    erase_attacker()
    assert RejectedEvent.objects.exists()
    assert not suppressions.is_suppressed(ADDRESS)

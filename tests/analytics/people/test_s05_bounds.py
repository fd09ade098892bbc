"""The properties of a person or group are bounded, whatever events send."""

import json
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection

from analytics.calculations.people import bounds
from analytics.calculations.records import Proof
from analytics.capture import ledger
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.ingest import store
from analytics.models import DistinctId, Event, Group, Person, PersonMerge
from analytics.people import profiles, unmerging
from tests import sdk
from tests.analytics.people.proof import person_with
from tests.events import NOON, record

pytestmark = pytest.mark.django_db

LARGE = "x" * 60_000  # bytes: nine of them are beyond the bound of a person


def sets(distinct_id="ada", proof=Proof.CLAIMED, **properties):
    return record("$set", distinct_id, properties={"$set": properties}, proof=proof)


def fill(distinct_id, proof=Proof.CLAIMED):
    """Set properties in separate events, more than fit."""
    events = [sets(distinct_id, proof, **{f"p{number}": LARGE}) for number in range(9)]
    store(events)


@pytest.mark.parametrize("proof", [Proof.CLAIMED, Proof.PROVED])
def test_s05_a_person_keeps_512_kb(proof):
    fill("ada", proof)
    person = person_with("ada")
    assert [*person.properties] == [f"p{number}" for number in range(8)]
    assert person.refused == {"p8": "properties_too_large"}
    assert Event.objects.count() == 9


def test_s05_a_value_has_64_kb():
    store([sets(small=1, large="x" * 70_000)])
    person = person_with("ada")
    assert (person.properties, person.refused) == ({"small": 1}, {"large": "value_too_large"})


def test_s05_a_person_has_1000_names():
    store([sets(**{f"p{number:04}": 1 for number in range(1_001)})])
    person = person_with("ada")
    assert len(person.properties) == 1_000
    assert person.refused == {"p1000": "too_many_names"}


def test_s05_a_refused_value_leaves_the_earlier_one():
    store([sets(plan="team"), sets(plan="x" * 70_000)])
    assert person_with("ada").properties == {"plan": "team"}


def test_s05_a_full_person_can_be_corrected_and_emptied():
    fill("ada")
    unset = record("$set", distinct_id="ada", properties={"$unset": ["p1"]})
    store([sets(p0="short"), unset, sets(p8=LARGE)])
    person = person_with("ada")
    assert (person.properties["p0"], "p1" in person.properties) == ("short", False)
    assert ("p8" in person.properties, person.refused) == (True, {})


def test_s05_claims_leave_room_for_what_is_proved():
    fill("ada")
    store([sets(proof=Proof.PROVED, plan="team")])
    assert person_with("ada").proved == {"plan": "team"}


def test_s05_at_most_20_refused_names_are_noted():
    large = {f"p{number}": "x" * 70_000 for number in range(25)}
    store([sets(**large)])
    assert len(person_with("ada").refused) == 20


def test_s05_numbers_count_as_postgresql_writes_them():
    store([sets(tiny=[1e-300] * 1_000)])
    assert person_with("ada").refused == {"tiny": "value_too_large"}


def test_s05_a_merged_person_obeys_the_bounds_and_can_be_taken_apart():
    fill("ada")
    other = [sets("anon", **{f"q{number}": LARGE}) for number in range(3)]
    merge = record("$identify", distinct_id="ada", other_id="anon")
    store([*other, merge])
    person = person_with("ada")
    assert (len(person.properties), person.refused["q0"]) == (8, "properties_too_large")
    line = PersonMerge.objects.get()
    assert len(json.dumps(line.before["person"])) < 1_000
    unmerging.undo(line.pk, by="eve", now=NOON)
    assert [*person_with("anon").properties] == ["q0", "q1", "q2"]
    assert len(person_with("ada").properties) == 8


def test_s05_a_merge_is_undone_by_what_it_brought():
    store([sets(a=1), sets("anon", a=2, b=2)])
    store([record("$identify", distinct_id="ada", other_id="anon")])
    store([sets(b=3)])
    unmerging.undo(PersonMerge.objects.get().pk, by="eve", now=NOON)
    assert person_with("ada").properties == {"a": 1, "b": 3}


def test_s05_a_group_is_bounded():
    large = {f"p{number}": LARGE for number in range(9)}
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": large}
    store([record("$groupidentify", distinct_id="ada", properties=group)])
    stored = Group.objects.get()
    assert (len(stored.properties), stored.refused) == (8, {"p8": "properties_too_large"})


def test_s05_the_ledger_counts_changed_events_among_the_stored():
    large = {"$set": {"large": "x" * 70_000}}
    event = {"event": "$set", "distinct_id": "ada", "properties": large}
    body = {"api_key": sdk.key(), "batch": [event, {"event": "used", "distinct_id": "ada"}]}
    assert sdk.post("/batch/", body).status_code == 200
    Inbox().process_batch()
    today = datetime.now(UTC).date()
    total = ledger.report(first=today, last=today).total
    assert (total.accepted, total.stored, total.missing) == (2, 2, 0)
    assert total.changed == {"value_too_large": 1}


def test_s05_many_large_persons_are_changed_in_portions(monkeypatch):
    monkeypatch.setattr(profiles, "MOST_AT_ONCE", 300_000)
    ids = [f"p{number}" for number in range(20)]
    store([sets(id_, large=LARGE) for id_ in ids])
    store([sets(id_, plan="team") for id_ in ids])
    persons = Person.objects.all()
    assert {person.properties["plan"] for person in persons} == {"team"}
    assert {len(person.properties["large"]) for person in persons} == {60_000}


def test_s05_a_batch_that_merges_many_large_persons_is_split(monkeypatch):
    monkeypatch.setattr(profiles, "MOST_AT_ONCE", 300_000)
    ids = [f"p{number}" for number in range(20)]
    store([sets(id_, large=LARGE) for id_ in ids])
    merges = [record("$identify", distinct_id=f"to-{id_}", other_id=id_) for id_ in ids]
    targets = [sets(f"to-{id_}", plan="team") for id_ in ids]
    store(targets)
    assert store(merges) == ["stored"] * 20
    assert {len(person.properties) for person in Person.objects.all()} == {2}
    assert list(PersonMerge.objects.order_by("pk").values_list("other_id", flat=True)) == ids


def test_s05_persons_and_groups_from_before_are_cut_to_the_bounds():
    large = {f"p{number}": LARGE for number in range(12)} | {"large": "x" * 70_000}
    person = Person.objects.create(properties=large | {"a": 1}, proved={"a": 1}, claimed={"a": 2})
    DistinctId.objects.create(distinct_id="ada", person=person)
    small = Person.objects.create(properties={"plan": "team"})
    Group.objects.create(group_type="company", group_key="acme", properties=large)
    with connection.cursor() as cursor:
        cursor.execute(import_module("analytics.migrations.0012_bound_stored_properties")._BOUND)
    person.refresh_from_db()
    small.refresh_from_db()
    assert bounds.json_size(person.properties) <= bounds.MAX_SIZE + 100
    assert (person.proved, person.claimed) == ({"a": 1}, {"a": 2})
    assert (len(person.properties), small.properties) == (9, {"plan": "team"})
    assert len(Group.objects.get().properties) == 8


@pytest.mark.parametrize("nested", [[[]] * 2_000, {f"k{number}": 0 for number in range(2_000)}])
def test_s04_many_nested_values_are_too_large_for_a_property(nested):
    store([sets(small=[[], {"a": 1}], large=nested)])
    person = person_with("ada")
    assert (person.properties, person.refused) == (
        {"small": [[], {"a": 1}]},
        {"large": "value_too_large"},
    )


def test_s04_a_person_has_few_thousand_nested_values():
    store([sets("ada", **{f"p{number}": [[]] * 900}) for number in range(20)])
    nested = sum(map(len, person_with("ada").properties.values()))
    assert nested * bounds.NESTED_VALUE <= bounds.MAX_SIZE
    assert nested == 8 * 900

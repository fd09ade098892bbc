"""Concurrent ingest processes leave the same result as some serial order of the events."""

import random
import uuid
from collections import defaultdict
from typing import Any

import pytest
from django.core.management import call_command

from analytics.models import DistinctId, Event, InboxRequest, Person, PersonMerge
from analytics.rollups import rebuild
from tests import sdk
from tests.processes import fork, wait

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 3
REQUESTS = 900
IDS = [f"p{number}" for number in range(24)]
MERGING = {
    "$identify": "$anon_distinct_id",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}


@pytest.fixture
def chance():
    return random.Random(20240501)


def random_event(chance):
    name = chance.choice(
        ["used", "signed_up", "workflow_created", "$set", "$identify", "$identify", "$create_alias"]
        + ["$merge_dangerously"] * (chance.random() < 0.1)
    )
    properties = {"$set": {chance.choice("xyz"): chance.randrange(9)}}
    if name in MERGING and chance.random() < 0.7:
        properties[MERGING[name]] = chance.choice(IDS)
    return {
        "event": name,
        "distinct_id": chance.choice(IDS),
        "uuid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "timestamp": f"2024-05-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:00:00Z",
        "properties": properties,
    }


def send(chance, keys):
    """Send requests, some of them twice, and return the events by uuid, with their keys."""
    sent: dict[str, dict[str, Any]] = {}
    for _ in range(REQUESTS):
        key = chance.choice(keys)
        batch = [random_event(chance) for _ in range(chance.randrange(1, 4))]
        for _ in range(1 + (chance.random() < 0.1)):
            body = {"api_key": key, "batch": batch}
            assert sdk.post("/batch/", body).status_code == 200
        sent |= {event["uuid"]: event | {"key": key} for event in batch}
    return sent


def ingest_in_small_batches(monkeypatch):
    monkeypatch.setattr("analytics.ingestion.inbox.MAX_REQUESTS_PER_BATCH", 4)
    monkeypatch.setattr("analytics.ingestion.inbox.EVENTS_PER_BATCH", 8)
    children = [fork(lambda: call_command("ingest", once=True)) for _ in range(PROCESSES)]
    assert [wait(pid) for pid in children] == [0] * PROCESSES


def test_p04_concurrent_identifies_end_as_some_serial_order_would(chance, monkeypatch):
    sent = send(chance, [sdk.key()])
    ingest_in_small_batches(monkeypatch)
    assert not InboxRequest.objects.exists()
    assert {str(event.uuid) for event in Event.objects.all()} == set(sent)
    assert rebuild.check() == []
    assert_every_event_belongs_to_the_person_of_its_id()
    assert_the_events_explain_the_identities(sent)
    assert_the_journal_is_justified(sent)


def test_s02_concurrent_proofs_never_leave_two_proved_ids_together_by_a_claim(chance, monkeypatch):
    public, server = sdk.key(), sdk.server_key()
    sent = send(chance, [public, public, server])
    ingest_in_small_batches(monkeypatch)
    assert rebuild.check() == []
    assert_every_event_belongs_to_the_person_of_its_id()
    proved = {identity: event for identity, event in sent.items() if event["key"] == server}
    linked = linked_by(proved)
    for person in Person.objects.all():
        ids = list(person.distinct_ids.filter(proved=True).values_list("pk", flat=True))
        assert set(ids) <= linked[ids[0]] if ids else True
    assert PersonMerge.objects.filter(result="split").exists()


def assert_every_event_belongs_to_the_person_of_its_id():
    person_of = dict(DistinctId.objects.values_list("distinct_id", "person"))
    assert set(Person.objects.values_list("pk", flat=True)) == set(person_of.values())
    for event in Event.objects.all():
        assert event.person_id == person_of[event.distinct_id]


def assert_the_events_explain_the_identities(sent):
    """Ids share a person exactly if a chain of events that were not refused links them."""
    linked = linked_by(sent)
    ids_of = defaultdict(set)
    for distinct_id in DistinctId.objects.all():
        ids_of[distinct_id.person_id].add(distinct_id.distinct_id)
    assert sorted(map(sorted, ids_of.values())) == sorted(
        {tuple(sorted(together)): sorted(together) for together in linked.values()}.values()
    )


def linked_by(sent):
    """Return for each id those that a chain of events that were not refused links with it."""
    refused = PersonMerge.objects.exclude(result__in=["merged", "split"])
    refused_uuids = set(refused.values_list("event_uuid", flat=True))
    linked = {distinct_id: {distinct_id} for distinct_id in IDS}
    for identity, event in sent.items():
        other_id = event["properties"].get(MERGING.get(event["event"]))
        if other_id is not None and uuid.UUID(identity) not in refused_uuids:
            together = linked[event["distinct_id"]] | linked[other_id]
            linked |= dict.fromkeys(together, together)
    return linked


def assert_the_journal_is_justified(sent):
    """No person is merged away twice, once identified, or by a claimed $merge_dangerously."""
    merged: set[int | None] = set()
    for entry in PersonMerge.objects.order_by("pk"):
        dangerous = sent[str(entry.event_uuid)]["event"] == "$merge_dangerously"
        if entry.result == "merged":
            assert not dangerous
            assert not entry.before["other"]["is_identified"]
            assert entry.other_person_id not in merged
            merged.add(entry.other_person_id)
        else:
            refusals = {True: "unproved", False: "cannot_merge_already_identified"}
            assert entry.result == refusals[dangerous]
        assert entry.person_id not in merged
    assert not Person.objects.filter(pk__in=filter(None, merged)).exists()
    assert merged

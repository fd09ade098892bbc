"""A uuid that is guessed and claimed with the public key suppresses nothing that is proved."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from analytics.calculations.people.identity_hash import identity_hash
from analytics.calculations.records import Proof
from analytics.capture import verified_identity
from analytics.ingestion.ingest import store
from analytics.models import CaptureHour, Event, EventOutcome, RejectedEvent
from analytics.rollups import rebuild
from common.postgres import raw_cursor
from tests import sdk
from tests.events import record
from tests.ledger import totals
from tests.processes import wait_until

pytestmark = pytest.mark.django_db

PROOF: dict[str, Any] = {
    "uuid": "018f0000-0000-7000-8000-000000000001",
    "event": "used",
    "distinct_id": "ada",
    "timestamp": "2024-05-01T10:00:00Z",
    "properties": {"tokens": 5},
}
CLAIMS: dict[str, dict[str, Any]] = {
    "the same": {},
    "another time": {"timestamp": "2024-04-01T10:00:00Z"},
    "another name": {"event": "opened"},
    "another id": {"distinct_id": "eve"},
    "other properties": {"properties": {"tokens": 0}},
    "special": {"event": "$create_alias", "properties": {"alias": "eve"}},
}


@pytest.fixture(params=[*CLAIMS.values()], ids=[*CLAIMS])
def claim(request):
    return PROOF | request.param


@pytest.fixture
def server_key():
    return sdk.server_key()


def send(key, *events):
    assert sdk.post("/batch/", {"api_key": key, "batch": events}).json() == {"status": 1}


def proved():
    """Store what was sent, and return the name and properties of each proved event."""
    sdk.ingest()
    assert rebuild.check() == []
    return list(Event.objects.filter(proved=True).values_list("event", "properties"))


def test_s02_a_claim_before_it_suppresses_no_proved_event(claim, server_key):
    send(sdk.key(), claim)
    sdk.ingest()
    send(server_key, PROOF)
    assert proved() == [("used", {"tokens": 5})]
    assert Event.objects.filter(proved=False, event=claim["event"], uuid=PROOF["uuid"]).exists()


def test_s02_a_claim_before_it_in_the_same_batch_suppresses_no_proved_event(claim, server_key):
    send(sdk.key(), claim)
    send(server_key, PROOF)
    assert proved() == [("used", {"tokens": 5})]
    assert Event.objects.count() == 2


def test_s02_a_claim_after_it_in_the_same_batch_changes_nothing(claim, server_key):
    send(server_key, PROOF)
    send(sdk.key(), claim)
    assert proved() == [("used", {"tokens": 5})]
    assert Event.objects.count() == 1


def test_s02_a_claim_after_a_proved_event_is_a_duplicate_or_rejected(claim, server_key):
    send(server_key, PROOF)
    sdk.ingest()
    send(sdk.key(), claim)
    assert proved() == [("used", {"tokens": 5})]
    is_same = all(claim[name] == PROOF[name] for name in ("event", "distinct_id", "properties"))
    assert (totals()[EventOutcome.DUPLICATE], RejectedEvent.objects.count()) == (
        int(is_same),
        int(not is_same),
    )


def test_s02_a_proved_event_sent_again_counts_once_despite_a_claim(claim, server_key):
    send(sdk.key(), claim)
    sdk.ingest()
    send(server_key, PROOF, PROOF)
    sdk.ingest()
    send(sdk.key(), claim)
    send(server_key, PROOF | {"timestamp": "2024-05-01T10:00:01Z"})
    assert proved() == [("used", {"tokens": 5})]
    assert (totals()[EventOutcome.DUPLICATE], Event.objects.count()) == (3, 2)


def test_s02_a_claim_with_its_repetition_makes_no_second_proved_event(claim, server_key):
    send(server_key, PROOF)
    sdk.ingest()
    send(sdk.key(), claim)
    send(server_key, PROOF)
    assert proved() == [("used", {"tokens": 5})]


def test_s02_another_proved_event_with_a_claimed_uuid_is_rejected_as_sent(claim, server_key):
    send(sdk.key(), claim)
    sdk.ingest()
    send(server_key, PROOF)
    send(server_key, PROOF | {"event": "paid"})
    assert proved() == [("used", {"tokens": 5})]
    rejected = json.loads(bytes(RejectedEvent.objects.get(reason="uuid_reused").payload))
    assert (rejected["event"], rejected["uuid"]) == ("paid", PROOF["uuid"])


def test_s02_a_claim_of_the_uuid_that_replaces_a_claimed_uuid_suppresses_nothing(server_key):
    send(sdk.key(), PROOF)
    send(server_key, PROOF)
    assert len(proved()) == 1
    replacing = str(Event.objects.get(proved=True).uuid)
    send(sdk.key(), PROOF | {"uuid": replacing, "event": "opened"})
    send(server_key, PROOF)
    assert proved() == [("used", {"tokens": 5})]
    assert RejectedEvent.objects.get().reason == "uuid_reused"


def test_s02_a_proved_merge_acts_despite_a_claim_of_its_uuid(server_key):
    merge = PROOF | {"event": "$create_alias", "properties": {"alias": "ben"}}
    send(sdk.key(), PROOF, PROOF | {"distinct_id": "ben", "uuid": PROOF["uuid"][:-1] + "2"})
    sdk.ingest()
    send(server_key, merge)
    sdk.ingest()
    assert Event.objects.values("person").distinct().count() == 1


def test_s02_a_proved_property_refused_despite_a_claim_of_its_uuid_is_counted(server_key):
    send(sdk.key(), PROOF)
    sdk.ingest()
    send(server_key, PROOF | {"event": "$set", "properties": {"$set": {"much": "x" * 70_000}}})
    sdk.ingest()
    assert CaptureHour.objects.get(outcome=EventOutcome.CHANGED).events == 1


WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND locktype = 'transactionid' AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 2])
def test_s02_a_claim_that_another_connection_is_storing_suppresses_no_proved_event(times):
    identity = UUID(PROOF["uuid"])
    proofs = [record(identity=identity, proof=Proof.PROVED)] * times

    def store_proofs():
        store(proofs)
        connection.close()

    store([record()])  # makes the partition
    with ThreadPoolExecutor() as threads:
        with transaction.atomic():
            store([record("opened", identity=identity)])
            storing = threads.submit(store_proofs)
            wait_until(lambda: raw_cursor().execute(WAITING).fetchone() == (1,))
        storing.result()
    stored = Event.objects.order_by("event", "proved").values_list("event", "proved")
    assert list(stored) == [("opened", False), ("used", False), ("used", True)]


@pytest.mark.parametrize(
    ("proof", "identity", "queries"),
    [("CLAIMED", UUID(PROOF["uuid"]), 0), ("PROVED", None, 0), ("PROVED", UUID(PROOF["uuid"]), 1)],
    ids=["claim", "new uuid", "known uuid"],
)
def test_only_a_proved_event_whose_uuid_is_known_costs_a_query_for_claims(
    proof, identity, queries, monkeypatch
):
    store([record(identity=UUID(PROOF["uuid"]))])
    statements = []
    execute = psycopg.Cursor.execute
    monkeypatch.setattr(
        psycopg.Cursor,
        "execute",
        lambda self, query, *args, **kwargs: (
            statements.append(str(query)) or execute(self, query, *args, **kwargs)
        ),
    )
    store([record("opened", identity=identity, proof=Proof[proof])])
    assert sum("NOT stored.proved" in statement for statement in statements) == queries


def signed(event):
    """Return an event as its person's browser sends it, with the signature of its distinct id."""
    secret = verified_identity.secret_of(verified_identity.current_secret())
    proof = identity_hash(event["distinct_id"], secret.encode())
    return event | {"properties": event["properties"] | {"$identity_hash": proof}}


def test_s02_a_signed_event_does_not_take_the_uuid_of_the_backend(claim, server_key):
    send(sdk.key(), signed(claim))
    sdk.ingest()
    send(server_key, PROOF)
    assert ("used", {"tokens": 5}) in proved()
    assert Event.objects.count() == 2


def test_s02_a_signed_event_does_not_take_the_uuid_of_another_persons():
    send(sdk.key(), signed(PROOF | {"distinct_id": "eve"}), signed(PROOF))
    assert (proved(), Event.objects.count()) == ([], 2)


def test_a_signed_event_that_is_sent_again_counts_once():
    send(sdk.key(), signed(PROOF))
    send(sdk.key(), signed(PROOF))
    assert (proved(), Event.objects.count()) == ([], 1)
    assert totals()[EventOutcome.DUPLICATE] == 1

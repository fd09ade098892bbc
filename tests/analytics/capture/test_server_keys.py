"""Server keys: secret, hashed at rest, refused once they were published."""

import gzip
import json

import pytest
from django.db import connection

from analytics.calculations.compression import decompress
from analytics.capture import capture
from analytics.models import Event, InboxRequest, ProjectKey, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada"}


@pytest.fixture
def token():
    return sdk.server_key()


def sent(token, **environ):
    return sdk.post("/batch/", {"api_key": token, "batch": [EVENT]}, **environ)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_what_a_server_key_sends_is_proved_and_its_token_not_stored(token, compress):
    body = json.dumps({"api_key": token, "batch": [EVENT]}).encode()
    assert sdk.post("/batch/", compress(body)).status_code == 200
    assert token.encode() not in decompress(bytes(InboxRequest.objects.get().body))
    sdk.ingest()
    assert Event.objects.get().proved


@pytest.mark.parametrize("events", [[{"event": ""}], [EVENT, {"event": ""}], [{"event": ""}] * 300])
def test_a_rejected_payload_holds_no_server_token(token, events):
    for event in events:
        event |= {"properties": {"token": token}}
    sdk.post("/batch/", {"api_key": token, "batch": events})
    sdk.ingest()
    payloads = [bytes(row.payload) for row in RejectedEvent.objects.all()]
    assert payloads
    assert not any(token.encode() in decompress(payload) for payload in payloads)


def test_a_server_key_in_a_page_or_an_address_is_refused(token):
    in_page = sent(token, HTTP_ORIGIN="https://shop.example.com")
    query = json.dumps(EVENT | {"api_key": token})
    in_address = sdk.request("GET", f"/e/?data={query}")
    for answer in (in_page, in_address):
        assert (answer.status_code, "server key" in answer.json()["error"]) == (401, True)
    assert not InboxRequest.objects.exists()


def test_the_stored_hash_of_a_server_key_is_not_a_key(token):
    assert sent(ProjectKey.objects.get(kind="server").token).status_code == 401
    assert sent(token).status_code == 200


def test_a_revoked_server_key_is_refused(token):
    capture.revoke(ProjectKey.objects.filter(kind="server"), now=capture.now())
    assert sent(token).status_code == 401


def test_what_a_public_key_sends_is_a_claim():
    sent(sdk.key())
    sdk.ingest()
    assert not Event.objects.get().proved


def test_a_claim_with_a_guessed_id_does_not_take_the_place_of_a_proved_event(token):
    for key in (sdk.key(), token):
        event = EVENT | {"uuid": "order-1", "properties": {"from": key[:3]}}
        sdk.post("/batch/", {"api_key": key, "batch": [event]})
        sdk.ingest()
    assert Event.objects.get(proved=True).properties == {"from": "phs"}


@pytest.mark.parametrize("distinct_id", [" ada", "ada\u3000", "ada\x1f", "ada\x85"])
def test_s02_an_id_that_would_become_another_persons_proves_nothing(token, distinct_id):
    sdk.post("/batch/", {"api_key": token, "batch": [EVENT, EVENT | {"distinct_id": distinct_id}]})
    sdk.ingest()
    assert Event.objects.count() == 1
    assert "server key" in RejectedEvent.objects.get().detail


def test_s02_an_id_that_would_be_cut_proves_nothing(token):
    batch = [
        EVENT,
        {"event": "$create_alias", "distinct_id": "ada", "properties": {"alias": "x" * 201}},
    ]
    sdk.post("/batch/", {"api_key": token, "batch": batch})
    sdk.ingest()
    assert "server key" in RejectedEvent.objects.get().detail


def test_no_table_holds_a_server_token(token):
    sent(token)
    sdk.ingest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM analytics_projectkey")
        assert token not in {stored for (stored,) in cursor.fetchall()}


@pytest.mark.parametrize("where", ["$set", "$set_once"])
def test_s02_an_identity_hash_among_a_persons_properties_is_not_stored(where):
    properties = {where: {"$identity_hash": "0" * 64, "plan": "pro"}}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [EVENT | {"properties": properties}]})
    sdk.ingest()
    assert Event.objects.get().properties == {where: {"plan": "pro"}}


@pytest.mark.parametrize("dollar", ["$", r"\u0024"])
@pytest.mark.parametrize("letter", ["i", r"\u0069"])
def test_s02_an_identity_hash_is_neither_stored_nor_forwarded(dollar, letter):
    properties = {"$identity_hash": "0" * 64, "plan": "pro"}
    body = json.dumps({"api_key": sdk.key(), "batch": [EVENT | {"properties": properties}]})
    sdk.post("/batch/", body.replace("$identity", f"{dollar}{letter}dentity"))
    sdk.ingest()
    event = Event.objects.get()
    assert (event.properties["$identity_hash"], event.proved) == ("invalid", False)

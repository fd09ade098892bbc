"""Bodies and events as SDKs send them."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from analytics.calculations import body as bodies
from analytics.calculations import wire
from analytics.calculations.body import BadToken, TooLarge
from analytics.calculations.wire import Arrival, Reason, Refused

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def event(**fields):
    return {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"} | fields


def opened(body):
    return bodies.opened(body if isinstance(body, bytes) else json.dumps(body).encode())


def parse(body, received_at=NOW):
    envelope = opened(body)
    return wire.parse(envelope.events, Arrival(received_at).sent(envelope.sent_at))


def only(body):
    (record,) = parse(body).events
    return record


def rejection(**fields):
    (found,) = parse({"api_key": "k", "batch": [event(**fields)]}).rejections
    return found.reason, found.detail.split(":")[0]


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": "k", "batch": [event()]},
        {"token": "k", "batch": [event()]},
        [event(properties={"token": "k"})],
        event(api_key="k"),
        event(token=" k "),
    ],
)
def test_every_body_shape_gives_its_token_and_event(body):
    parsed = parse(body)
    assert (opened(body).token, len(parsed.events), parsed.rejections) == ("k", 1, [])


def test_a_body_without_token_is_refused():
    with pytest.raises(BadToken, match="api_key"):
        bodies.checked_token(opened([event()]).token)


def test_gzip_is_recognised_whatever_the_headers_say():
    assert bodies.decompressed(gzip.compress(b"{}")) == b"{}"


def test_a_form_field_holds_base64_json():
    data = base64.b64encode(b'{"event":"x"}').decode()
    form = f"data={data}".encode()
    decoded = bodies.unwrapped(form, content_type="application/x-www-form-urlencoded")
    assert decoded == b'{"event":"x"}'


def test_a_gzip_bomb_stops_at_the_bound():
    with pytest.raises(TooLarge):
        bodies.decompressed(gzip.compress(bytes(bodies.MAX_BATCH + 1)))


def test_truncated_gzip_is_refused():
    with pytest.raises(Refused):
        bodies.decompressed(gzip.compress(b"x" * 1000)[:-9])


def test_p01_one_bad_event_never_costs_the_good_ones():
    parsed = parse({"api_key": "k", "batch": [event(), event(event=7), event(distinct_id="ben")]})
    assert [record.distinct_id for record in parsed.events] == ["ada", "ben"]
    assert [found.reason for found in parsed.rejections] == [Reason.BAD_FIELD]


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"event": ""}, Reason.MISSING_FIELD, "event"),
        ({"event": "x" * 201}, Reason.BAD_FIELD, "event"),
        ({"distinct_id": " "}, Reason.MISSING_FIELD, "distinct_id"),
        ({"timestamp": "yesterday"}, Reason.BAD_TIMESTAMP, "timestamp"),
        ({"timestamp": "1889-01-01T00:00:00Z"}, Reason.BAD_TIMESTAMP, "timestamp"),
        ({"timestamp": 1e300}, Reason.BAD_TIMESTAMP, "timestamp"),
        ({"properties": [1]}, Reason.BAD_FIELD, "properties"),
    ],
)
def test_a_bad_event_is_rejected_by_the_name_of_its_field(fields, reason, field):
    assert rejection(**fields) == (reason, field)


def test_sent_at_corrects_the_senders_clock():
    sent_at = (NOW + timedelta(hours=1)).isoformat()  # the sender's clock is an hour ahead
    body = {"api_key": "k", "sent_at": sent_at, "batch": [event(timestamp=sent_at)]}
    assert only(body).timestamp == NOW


def test_an_unusable_sent_at_spoils_no_event():
    body = {"api_key": "k", "sent_at": "soon", "batch": [event()]}
    assert only(body).timestamp == NOW - timedelta(hours=2)


def test_without_timestamp_the_offset_counts_back_from_now():
    body = {"api_key": "k", "batch": [{"event": "a", "distinct_id": "b", "offset": 1500}]}
    assert only(body).timestamp == NOW - timedelta(seconds=1.5)


def test_a_time_far_ahead_becomes_now():
    body = {"api_key": "k", "batch": [event(timestamp="2024-05-02T11:00:01Z")]}
    assert only(body).timestamp == NOW


def test_p02_a_retried_event_without_uuid_is_recognised():
    body = {"api_key": "k", "batch": [event(), event()]}
    first, second = parse(body).events
    assert [record.uuid for record in parse(body).events] == [first.uuid, second.uuid]
    assert first.uuid != second.uuid  # two places in one request are two events


def test_without_uuid_and_time_a_later_event_is_another_one():
    body = json.dumps({"api_key": "k", "batch": [{"event": "a", "distinct_id": "b"}]}).encode()
    (first,) = parse(body).events
    (later,) = parse(body, NOW + timedelta(seconds=1)).events
    assert first.uuid != later.uuid


def test_an_id_that_is_no_uuid_still_identifies_the_event():
    one, two = (only(event(api_key="k", uuid=name)) for name in ("f520ee5a", "f520ee5b"))
    assert one.uuid == only(event(api_key="k", uuid="f520ee5a")).uuid != two.uuid


def test_a_nul_character_is_replaced_where_the_database_cannot_hold_it():
    raw = (
        rb'{"api_key":"k","event":"a","distinct_id":"b","properties":{"x":"\u0000","y":"\\u0000"}}'
    )
    assert only(raw).properties == rb'{"x":"\ufffd","y":"\\u0000"}'


def test_set_at_the_top_level_moves_into_the_properties():
    record = only(event(api_key="k", **{"$set": {"plan": "pro"}, "$set_once": {"ref": 1}}))
    assert wire.person_changes(record.properties) == ({"plan": "pro"}, {"ref": 1}, [])

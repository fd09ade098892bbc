"""Reading ordinary events together gives what reading them one by one gives."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations import parsing
from analytics.calculations.wire import MAX_EVENT, Arrival, Refused, decode_event, event_record

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ORDINARY = {
    "event": "used",
    "uuid": "0b3f6b0e-1f0e-4b3e-9c3c-0123456789ab",
    "distinct_id": "ada",
    "timestamp": "2026-06-15T11:00:00.123456+00:00",
    "properties": {"plan": "team"},
}
texts = st.sampled_from(["used", " used", "", "\0", "$identify", "é", "x" * 201, "$groupidentify"])
properties = st.dictionaries(
    st.sampled_from(["plan", "$set", "$unset", "$process_person_profile", "alias", "$lib"]),
    st.sampled_from([1, 1e300, "\0", "é", {"a": [[]]}, "9" * 4_100, False, "$ignore_sent_at"]),
)
odd_fields = st.fixed_dictionaries(
    {},
    optional={
        "event": texts,
        "distinct_id": texts | st.integers(),
        "uuid": st.sampled_from(["", "0b3f6b0e1f0e4b3e9c3c0123456789ab", "z" * 36, "-" * 36]),
        "timestamp": st.sampled_from(
            [
                "2026-06-15",
                "2026-06-15T11:00:00+02:00",
                "1970-01-01T00:00:00Z",
                "2027-01-01T00:00Z",
                5,
            ]
        ),
        "properties": properties | st.none() | st.just([]),
        "$set": properties,
        "options": st.none() | st.just({"process_person_profile": False}),
    },
)


bodies = st.tuples(
    st.lists(odd_fields | st.just({}), min_size=1, max_size=4),
    st.none() | st.just(NOW - timedelta(hours=1)),
)


def one_by_one(raws, arrival):
    for position, raw in enumerate(raws):
        try:
            yield event_record(decode_event(raw), raw, arrival, position=position)
        except Refused:
            continue


@given(bodies)
def test_events_read_together_are_what_they_are_read_one_by_one(body):
    odd, sent_at = body
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in odd]
    arrival = Arrival(NOW, sent_at)
    assert list(parsing.parse(raws, arrival).events) == list(one_by_one(raws, arrival))


@given(bodies)
def test_a_body_read_at_one_go_is_what_its_events_are(body):
    odd, sent_at = body
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in odd]
    arrival = Arrival(NOW, sent_at)
    plain = msgspec.json.encode({"batch": list(map(msgspec.Raw, raws)), "sent_at": sent_at})
    parsed = parsing.parse_body(plain, Arrival(NOW))
    assert list(parsed.events) == list(one_by_one(raws, arrival))
    assert len(parsed.events) + len(parsed.rejections) == len(raws)


@pytest.mark.parametrize(
    "extra",
    [
        *({"event": name} for name in ("$identify", "$create_alias", "$groupidentify")),
        *({place: {"plan": "pro"}} for place in ("$set", "$set_once")),
        {"properties": {"$unset": ["plan"]}},
        {"properties": {"$process_person_profile": False}},
    ],
)
def test_an_event_that_means_something_to_capture_keeps_its_record(extra):
    plain = msgspec.json.encode({"batch": [ORDINARY, ORDINARY | extra]})
    assert list(parsing.parse_body(plain, Arrival(NOW)).events.special) == [1]


def test_what_looks_like_a_large_exponent_within_a_text_is_ordinary():
    text = {"session": "0b3f6b0e-1f0e-4b3e-9c3c-01e2345678ab", "page": "page2024", "price": 1e-05}
    raws = [msgspec.json.encode(ORDINARY | {"properties": text})]
    assert not parsing.parse(raws, Arrival(NOW)).events.special


def test_an_event_is_too_large_whatever_makes_it_so():
    large = msgspec.json.encode(ORDINARY | {"unknown": "x" * MAX_EVENT})
    plain = b'{"batch": [%b, %b]}' % (msgspec.json.encode(ORDINARY), large)
    parsed = parsing.parse_body(plain, Arrival(NOW))
    assert [rejection.reason for rejection in parsed.rejections] == ["too_large"]
    assert len(parsed.events) == 1


def test_a_large_exponent_is_not_ordinary():
    raws = [msgspec.json.encode(ORDINARY | {"properties": {"n": msgspec.Raw(b"-1.5E+0999")}})]
    (rejection,) = parsing.parse(raws, Arrival(NOW)).rejections
    assert rejection.detail.startswith("properties: ")


def test_ordinary_events_are_read_together_though_one_among_them_is_special():
    raws = [
        msgspec.json.encode(ORDINARY | extra)
        for extra in ({"event": "first"}, {"$set": {"plan": "pro"}}, {"event": "third"})
    ]
    events = parsing.parse(raws, Arrival(NOW)).events
    assert [event.event for event in events] == ["first", "used", "third"]
    assert list(events.special) == [1]

"""Reading ordinary events together gives the same as reading them separately."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations import parsing
from analytics.calculations.people.profile_changes import marking_history
from analytics.calculations.records import MAX_EVENT, Arrival, InvalidEvent
from analytics.calculations.wire import event_record
from analytics.calculations.wire_format import decode_event

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
    st.sampled_from(
        ["plan", "$set", "$unset", "$process_person_profile", "$ignore_sent_at", "alias", "$lib"]
    ),
    st.sampled_from(
        [1, 1e300, "\0", "é", {"a": [[]]}, "9" * 4_100, False, True, "$ignore_sent_at"]
    ),
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
                "2026-06-15T11:00:00.5Z",
                "2026-06-15T11:00:00.123Z",
                "2026-06-15T11:00:00.123456+02:00",
                "2026-06-15 11:00:00.123456+00:00",
                "2026-02-30T11:00:00.123456+00:00",
                "2026-06-15T1é:00:00.123456+00:00",
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


def separately(raws, arrival):
    return marking_history(_read_each(raws, arrival))


def _read_each(raws, arrival):
    for position, raw in enumerate(raws):
        try:
            yield event_record(decode_event(raw), raw, arrival, position=position)
        except InvalidEvent:
            continue


@given(bodies)
def test_events_read_together_equal_events_read_separately(body):
    odd, sent_at = body
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in odd]
    arrival = Arrival(NOW, sent_at)
    assert list(parsing.parse(raws, arrival).events) == list(separately(raws, arrival))


@given(bodies)
def test_a_body_read_at_once_equals_its_events_read_separately(body):
    odd, sent_at = body
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in odd]
    arrival = Arrival(NOW, sent_at)
    plain = msgspec.json.encode({"batch": list(map(msgspec.Raw, raws)), "sent_at": sent_at})
    (parsed,) = parsing.parse_bodies([plain], [Arrival(NOW)])
    assert list(parsed.events) == list(separately(raws, arrival))
    assert len(parsed.events) + len(parsed.rejections) == len(raws)


@given(st.lists(bodies, min_size=1, max_size=4))
def test_bodies_read_together_equal_bodies_read_alone(several):
    plain = [
        msgspec.json.encode({"batch": [ORDINARY | fields for fields in odd], "sent_at": sent_at})
        for odd, sent_at in several
    ]
    for body, parsed in zip(
        plain, parsing.parse_bodies(plain, [Arrival(NOW)] * len(plain)), strict=True
    ):
        (alone,) = parsing.parse_bodies([body], [Arrival(NOW)])
        assert list(parsed.events) == list(alone.events)
        assert (parsed.arrival, parsed.rejections) == (alone.arrival, alone.rejections)


times = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2026, 6, 15), timezones=st.just(UTC)
)
notations = st.sampled_from(
    [
        lambda time: time.isoformat(),
        lambda time: time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        lambda time: time.astimezone(timezone(timedelta(hours=3))).isoformat(),
    ]
)


@given(st.lists(st.tuples(times, notations), min_size=1, max_size=4))
def test_times_are_read_in_every_notation(some):
    texts = [write(time) for time, write in some]
    plain = msgspec.json.encode({"batch": [ORDINARY | {"timestamp": text} for text in texts]})
    (parsed,) = parsing.parse_bodies([plain], [Arrival(NOW)])
    assert not parsed.events.special  # all are ordinary
    wanted = [datetime.fromisoformat(text) for text in texts]
    assert [event.timestamp for event in parsed.events] == wanted


@pytest.mark.parametrize("text", ["2027-01-01T00:00:00Z", "1969-12-31T00:00:00Z"])
def test_an_impossible_time_is_not_ordinary(text):
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in ({}, {"timestamp": text})]
    plain = b'{"batch": [%b]}' % b",".join(raws)
    (parsed,) = parsing.parse_bodies([plain], [Arrival(NOW)])
    assert list(parsed.events) == list(separately(raws, Arrival(NOW)))


def test_an_event_beyond_the_retention_period_is_rejected_among_ordinary_events():
    old = ORDINARY | {"timestamp": "2026-06-01T11:00:00.123456+00:00"}
    plain = msgspec.json.encode({"batch": [ORDINARY, old]})
    arrival = Arrival(NOW, oldest=NOW - timedelta(days=7))
    (parsed,) = parsing.parse_bodies([plain], [arrival])
    assert len(parsed.events) == 1
    assert [rejection.reason for rejection in parsed.rejections] == ["too_old"]


def test_an_unreadable_body_does_not_affect_the_others():
    good = msgspec.json.encode({"batch": [ORDINARY]})
    results = parsing.parse_bodies([good, b"{", good], 3 * [Arrival(NOW)])
    assert [
        len(result.events) if isinstance(result, parsing.ParsedRequest) else str(result)
        for result in results
    ] == [
        1,
        "body: Input data was truncated",
        1,
    ]


@pytest.mark.parametrize(
    "extra",
    [
        *({"event": name} for name in ("$identify", "$create_alias", "$groupidentify")),
        *({field: {"plan": "pro"}} for field in ("$set", "$set_once")),
        {"properties": {"$unset": ["plan"]}},
        {"properties": {"$process_person_profile": False}},
        {"properties": {"$ignore_sent_at": True}},
    ],
)
def test_an_event_that_capture_acts_on_keeps_its_record(extra):
    plain = msgspec.json.encode({"batch": [ORDINARY, ORDINARY | extra]})
    (parsed,) = parsing.parse_bodies([plain], [Arrival(NOW)])
    assert list(parsed.events.special) == [1]


def test_a_text_that_looks_like_a_large_exponent_is_ordinary():
    text = {"session": "0b3f6b0e-1f0e-4b3e-9c3c-01e2345678ab", "page": "page2024", "price": 1e-05}
    raws = [msgspec.json.encode(ORDINARY | {"properties": text})]
    assert not parsing.parse(raws, Arrival(NOW)).events.special


def test_an_event_is_too_large_because_of_any_field():
    large = msgspec.json.encode(ORDINARY | {"unknown": "x" * MAX_EVENT})
    plain = b'{"batch": [%b, %b]}' % (msgspec.json.encode(ORDINARY), large)
    (parsed,) = parsing.parse_bodies([plain], [Arrival(NOW)])
    assert [rejection.reason for rejection in parsed.rejections] == ["too_large"]
    assert len(parsed.events) == 1


def test_a_large_exponent_is_not_ordinary():
    raws = [msgspec.json.encode(ORDINARY | {"properties": {"n": msgspec.Raw(b"-1.5E+0999")}})]
    (rejection,) = parsing.parse(raws, Arrival(NOW)).rejections
    assert rejection.detail.startswith("properties: ")


def test_ordinary_events_are_read_together_although_another_event_is_special():
    raws = [
        msgspec.json.encode(ORDINARY | extra)
        for extra in ({"event": "first"}, {"$set": {"plan": "pro"}}, {"event": "third"})
    ]
    events = parsing.parse(raws, Arrival(NOW)).events
    assert [event.event for event in events] == ["first", "used", "third"]
    assert list(events.special) == [1]

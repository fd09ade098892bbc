"""S04: whatever is sent, reading it takes time and memory in proportion to its size.

The inputs are as large as they may be: whatever tries every pair of their characters would not end.
"""

import tracemalloc

import pytest

from analytics.calculations.batch import EventBatch
from analytics.calculations.body import open_body
from analytics.calculations.event_times import event_time, parse_time
from analytics.calculations.parsing import parse_bodies
from analytics.calculations.people.identity import Identities
from analytics.calculations.people.mentions import Mentions, ids_in, mentions_of
from analytics.calculations.people.profile import Profile, ProfileDraft, PropertyChanges
from analytics.calculations.records import (
    MAX_BODY,
    MAX_EVENT,
    Arrival,
    InvalidEvent,
    Proof,
    Reason,
)
from analytics.calculations.stored_json import stored_object
from analytics.calculations.wire import read_event
from common.calculations.redaction import redact
from tests.events import NOON, record

ARRIVAL = Arrival(NOON)


def nested(size):
    """Return so many bytes of arrays within arrays; decoded they take many times as much."""
    array = b"[" * 50 + b"]" * 50
    return b"[" + b",".join([array] * (size // 101)) + b"]"


@pytest.fixture
def peak_megabytes():
    """Return a function for the megabytes that Python has allocated at most, since the start."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("name", [b"sent_at", b"historical_migration"])
def test_s04_what_is_nested_in_a_body_is_not_decoded(peak_megabytes, name):
    body = b'{"batch":[],"api_key":"a","%b":%b}' % (name, nested(MAX_BODY - 100))
    assert open_body(body).sent_at is None
    assert peak_megabytes() < 100


@pytest.mark.parametrize("name", [b"event", b"uuid", b"distinct_id", b"timestamp", b"offset"])
def test_s04_what_is_nested_in_a_field_of_an_event_is_not_decoded(peak_megabytes, name):
    raw = b'{"event":"a","distinct_id":"b","%b":%b}' % (name, nested(MAX_EVENT - 100))
    if name in {b"event", b"distinct_id"}:
        with pytest.raises(InvalidEvent, match="missing"):
            read_event(raw, ARRIVAL)
    else:
        assert read_event(raw, ARRIVAL).timestamp == NOON
    assert peak_megabytes() < 20


def test_s04_a_small_object_in_place_of_an_id_is_still_an_id():
    raw = b'{"event":"a","distinct_id":{"id": 7},"timestamp":[1],"properties":{"b":[1]}}'
    event = read_event(raw, ARRIVAL)
    assert (event.distinct_id, event.timestamp) == ('{"id":7}', NOON)


MANY = [
    b'{"a":[%b]}' % b",".join([b"[]"] * 20_001),
    b"{%b}" % b",".join(b'"a%d":1' % number for number in range(20_001)),
    b'{"a":{"b":[%b]}}' % b",".join([b'{"c":1}'] * 10_001),
]
FEW = [
    b'{"a":[%b]}' % b",".join([b"1"] * 19_000),
    b'{"a":"%b"}' % (b"[1],{}" * 100_000),
]


@pytest.mark.parametrize("properties", MANY)
def test_s05_an_event_of_too_many_values_is_refused_as_too_large(properties):
    body = b'{"batch":[%b]}' % event_with(properties)
    (parsed,) = parse_bodies([body], [ARRIVAL])
    assert [rejection.reason for rejection in parsed.rejections] == [Reason.TOO_LARGE]


@pytest.mark.parametrize("properties", FEW)
def test_s05_neither_many_values_nor_the_commas_of_a_text_are_too_many(properties):
    (parsed,) = parse_bodies([b'{"batch":[%b]}' % event_with(properties)], [ARRIVAL])
    assert parsed.events.properties == [properties]


def event_with(properties):
    uuid = b"0190f0f0-0000-7000-8000-000000000000"
    fields = b'"event":"a","uuid":"%b","distinct_id":"b","timestamp":"2024-05-01T10:00:00Z"' % uuid
    return b'{%b,"properties":%b}' % (fields, properties)


@pytest.mark.parametrize("number", [b"9e300", b"-1.5E+308", b"1e-300"])
def test_s04_a_body_of_numbers_with_large_exponents_is_refused_undecoded(number):
    repeated = b"{%b}" % b",".join([b'"sent_at":%b' % number] * 100_000)
    inside = b'{"batch":[{"properties":{"a":[%b]}}]}' % b",".join([number] * 100_000)
    for body in (repeated, inside):
        with pytest.raises(InvalidEvent, match="exponents"):
            open_body(body)


@pytest.mark.parametrize("text", [b"1e300", b"x0e123x5e123"])
def test_s04_texts_that_look_like_such_numbers_are_read(text):
    assert open_body(b'{"api_key":"a","event":"%b"}' % (text * 10_000)).token == "a"


def test_s04_a_cut_character_among_millions_of_escapes_takes_little_memory(peak_megabytes):
    body = b'{"api_key":"a","event":"\\ud800' + b"\\n" * (MAX_BODY // 2 - 50) + b'"}'
    assert open_body(body).token == "a"
    assert peak_megabytes() < 100


def test_s04_a_body_of_cut_characters_only_is_refused():
    with pytest.raises(InvalidEvent) as refused:
        open_body(b'{"api_key":"' + b"\\ud800" * (MAX_BODY // 6 - 10) + b'"}')
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("cut", "replaced"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"\uDE00\uDE00", "\ufffd\ufffd"),
        (rb"\ud83d\ude00\ud83d", "😀\ufffd"),
        (rb"\\ud83d\ud83d", "\\ud83d\ufffd"),
        (rb"\\\ud83d", "\\\ufffd"),
    ],
)
def test_a_cut_character_is_replaced_and_nothing_else(cut, replaced):
    body = b'{"api_key":"a","event":"%b","distinct_id":"b"}' % cut
    assert read_event(open_body(body).events[0], ARRIVAL).event == replaced


@pytest.mark.parametrize("unit", [rb"\u00e9", rb"\"\u00e9", rb"\\u", rb"\u00e9 :"])
def test_s04_a_text_of_escapes_is_stored_as_it_is(unit):
    raw = b'{"a":"%b"}' % (unit * (MAX_EVENT // len(unit)))
    assert stored_object(raw) == raw


@pytest.mark.parametrize("name", [rb"\u0061", rb"\u0061\"", rb"\"\u0061", rb"\\\u0061"])
def test_names_are_stored_without_escapes_by_number(name):
    assert b"u0061" not in stored_object(b'{"b":"\\u00e9","%b" : 1}' % name)


@pytest.mark.parametrize("unit", ["+", " ", "\t", "24", "A "])
def test_s04_a_long_text_cannot_be_a_time(unit):
    text = f"2024-05-01T10:00:00{unit * MAX_BODY}Z"
    with pytest.raises(InvalidEvent):
        parse_time(text, "sent_at")
    assert event_time(None, text, ARRIVAL).is_arrival


def test_s04_an_event_may_set_and_remove_any_number_of_names():
    names = [f"n{number}" for number in range(100_000)]
    draft = ProfileDraft(Profile(properties={"plan": "pro"}))
    draft.change(PropertyChanges(dict.fromkeys(names, 1), {}, [*names, "plan"]), record())
    assert draft.profile.properties == {}


@pytest.mark.parametrize(
    "text",
    [
        ".csv" * (MAX_EVENT // 4) + "@",
        "x" * MAX_EVENT + " @",
        "a@" + "b-" * (MAX_EVENT // 2),
        "@" * MAX_EVENT,
        "a@a." * (MAX_EVENT // 8),
        '"id"' + " " * MAX_EVENT,
        '"' * MAX_EVENT,
        "\\" * MAX_EVENT,
    ],
)
def test_s04_s08_a_person_is_looked_for_in_any_text(text):
    mentions = Mentions(emails=frozenset({"ada@example.com"}))
    assert not mentions.in_text(text)
    assert mentions.in_text(f"{text} ada@example.com")
    assert ids_in(f'{text}" "ada@example.com"'.encode()) >= {"ada@example.com"}


@pytest.mark.parametrize("field", ["a" * 60_000, "email", "name", "user." * 12_000 + "name"])
def test_s04_s08_what_names_a_person_is_read_from_any_profile(field):
    texts = [f"{number}@example.com" for number in range(20_000)]
    mentions = mentions_of(["ada"], [{field: texts}])
    assert len(mentions.emails | mentions.names) <= 100


def test_s08_of_any_number_of_persons_each_one_is_named():
    facts = [{"email": f"{number}@example.com", "name": f"Ada {number}"} for number in range(500)]
    mentions = mentions_of([], facts)
    assert (len(mentions.emails), len(mentions.names)) == (500, 500)


@pytest.mark.parametrize("unit", ["?", "user", "a-", "http://", "secret ", "@"])
def test_s04_a_log_line_of_any_length_is_redacted(unit):
    assert len(redact(unit * MAX_EVENT)) <= 2_000


def test_s04_any_number_of_persons_may_be_merged_one_into_the_next():
    number_of = {str(number): number for number in range(50_000)}
    records = [
        record("$merge_dangerously", f"{number + 1}", other_id=f"{number}", proof=Proof.PROVED)
        for number in range(49_999)
    ]
    identities = Identities(number_of, set(), iter(()))
    identities.apply(EventBatch.from_records(records))
    assert set(identities.merges.values()) == {49_999}

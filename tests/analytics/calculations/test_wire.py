"""The meaning of an event's fields, wherever SDKs put them."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from analytics.calculations import parsing
from analytics.calculations.body import open_body
from analytics.calculations.people.profile_changes import person_changes
from analytics.calculations.records import Arrival, Reason

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def parse(*events):
    body = {"api_key": "k", "batch": events}
    return parsing.parse(open_body(json.dumps(body).encode()).events, Arrival(NOW))


def event(**fields):
    return {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"} | fields


def only(**fields):
    (record,) = parse(event(**fields)).events
    return record


def test_p01_a_bad_event_never_affects_the_good_ones():
    parsed = parse(event(), event(event=[7]), event(distinct_id="ben"))
    assert [record.distinct_id for record in parsed.events] == ["ada", "ben"]
    assert [(rejection.reason, rejection.position) for rejection in parsed.rejections] == [
        (Reason.BAD_FIELD, 1)
    ]


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"event": ""}, Reason.MISSING_FIELD, "event"),
        ({"event": " "}, Reason.MISSING_FIELD, "event"),
        ({"event": None}, Reason.MISSING_FIELD, "event"),
        ({"event": "x" * 201}, Reason.BAD_FIELD, "event"),
        ({"distinct_id": " "}, Reason.MISSING_FIELD, "distinct_id"),
        ({"distinct_id": None}, Reason.MISSING_FIELD, "distinct_id"),
        ({"event": {"a": 1}}, Reason.BAD_FIELD, "event"),
        ({"event": True}, Reason.BAD_FIELD, "event"),
        ({"timestamp": "1889-01-01T00:00:00Z"}, Reason.BAD_TIMESTAMP, "timestamp"),
        ({"properties": [1]}, Reason.BAD_FIELD, "properties"),
        ({"properties": "x"}, Reason.BAD_FIELD, "properties"),
    ],
)
def test_a_bad_event_is_rejected_by_the_name_of_its_field(fields, reason, field):
    (rejection,) = parse(event(**fields)).rejections
    assert (rejection.reason, rejection.detail.split(":")[0]) == (reason, field)


@pytest.mark.parametrize(
    "fields",
    [
        {"distinct_id": "ben"},
        {"distinct_id": None, "$distinct_id": "ben"},
        {"distinct_id": None, "properties": {"distinct_id": "ben"}},
        {"distinct_id": "ben", "properties": {"distinct_id": "other"}},
    ],
)
def test_the_distinct_id_is_at_the_top_or_in_the_properties(fields):
    assert only(**fields).distinct_id == "ben"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (42, "42"),
        (1.5, "1.5"),
        (True, "true"),
        (["a"], '["a"]'),
        (" ada\n", "ada"),
        ("x" * 300, "x" * 200),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_a_distinct_id_becomes_a_text_of_at_most_200_characters(sent, meant):
    assert only(distinct_id=sent).distinct_id == meant


@pytest.mark.parametrize("nested", [False, True], ids=["at the top", "in the properties"])
def test_person_changes_are_at_the_top_or_in_the_properties(nested):
    says = {"$set": {"plan": "pro"}, "$set_once": {"ref": 1}, "$unset": ["trial"]}
    record = only(**({"properties": says} if nested else says))
    assert person_changes(record) == ({"plan": "pro"}, {"ref": 1}, ["trial"])


@pytest.mark.parametrize("no", [False, "false", 0, "0"])
def test_an_event_can_disable_its_profile(no):
    assert not only(properties={"$process_person_profile": no}).profile


@pytest.mark.parametrize(
    "properties", [{}, None, {"$process_person_profile": True}, {"$process_person_profile": "?"}]
)
def test_by_default_an_event_makes_a_profile(properties):
    assert only(properties=properties).profile


@pytest.mark.parametrize("name", ["$identify", "$create_alias", "$merge_dangerously"])
def test_an_identified_person_always_has_a_profile(name):
    assert only(event=name, properties={"$process_person_profile": False}).profile


@pytest.mark.parametrize("yes", [True, "true", 1])
def test_an_event_can_disable_the_correction_of_its_time(yes):
    arrival = Arrival(NOW, sent_at=datetime(2024, 5, 1, 13, tzinfo=UTC))
    raw = json.dumps(event(properties={"$ignore_sent_at": yes})).encode()
    (record,) = parsing.parse([raw], arrival).events
    assert record.timestamp == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_a_nul_character_is_replaced_where_the_database_cannot_hold_it():
    raw = rb'{"event":"a","distinct_id":"b","properties":{"x":"\u0000","y":"\\u0000"}}'
    (record,) = parsing.parse([raw], Arrival(NOW)).events
    assert record.properties == rb'{"x":"\ufffd","y":"\\u0000"}'


@pytest.mark.parametrize(
    ("inner", "outer", "merged"),
    [
        (
            {"a": 1, "plan": "free"},
            {"$initial_url": "/"},
            {"a": 1, "plan": "free", "$initial_url": "/"},
        ),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1}, [], {"a": 1}),  # PHP's empty array
        ({"a": 1}, "x", {"a": 1}),
        (7, {"a": 1}, {"a": 1}),
    ],
)
@pytest.mark.parametrize("name", ["$set", "$set_once"])
def test_a01_changes_at_the_top_are_added_to_those_in_the_properties(name, inner, outer, merged):
    record = only(**{name: outer, "properties": {name: inner, "x": 1}})
    assert msgspec.json.decode(record.properties) == {name: merged, "x": 1}


@pytest.mark.parametrize(
    ("outer", "merged"), [(["b"], ["a", "b"]), ([], ["a"]), (None, ["a"]), ({}, ["a"])]
)
def test_a01_names_to_unset_at_the_top_are_added_to_those_in_the_properties(outer, merged):
    record = only(**{"$unset": outer, "properties": {"$unset": ["a"]}})
    assert msgspec.json.decode(record.properties) == {"$unset": merged}


@pytest.mark.parametrize(
    "fields",
    [
        {"session_id": 7, "window_id": {"a": 1}},
        {"session_id": "s", "window_id": "w"},
        {"options": {"process_person_profile": False}},
        {"options": [1]},
        {"options": "x"},
    ],
)
def test_a12_fields_of_v1_mean_nothing_in_v0(fields):
    assert only(uuid="u", **fields) == only(uuid="u")


@pytest.mark.parametrize(
    "fields", [{"uuid": {"a": 1}}, {"uuid": True}, {"uuid": []}, {"offset": "soon"}]
)
def test_a12_a_bad_optional_field_costs_only_the_field(fields):
    assert only(**fields).event == "used"


@pytest.mark.parametrize(("sent", "meant"), [(123, "123"), (1.5, "1.5")])
def test_a12_a_number_is_read_as_the_name_that_it_spells(sent, meant):
    assert only(event=sent).event == meant


def test_a12_a_number_is_an_id_of_the_event():
    assert only(uuid=7).uuid == only(uuid="7", event="other").uuid


@pytest.mark.parametrize("name", ["$set", "$unset", "$process_person_profile", "plan"])
def test_names_are_stored_without_escapes(name):
    """Later readers look for names without decoding."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    raw = json.dumps(event(properties={name: "\u00e4 \\u0024"})).replace(
        f'"{name}"', f'"{escaped}"'
    )
    (record,) = parsing.parse([raw.encode()], Arrival(NOW)).events
    assert f'"{name}"'.encode() in record.properties
    assert msgspec.json.decode(record.properties) == {name: "\u00e4 \\u0024"}


@pytest.mark.parametrize("empty", [[], None, {}])
def test_a01_empty_properties_may_be_a_list_as_php_writes_them(empty):
    assert only(properties=empty).properties == b"{}"


@pytest.mark.parametrize(
    ("properties", "profile"),
    [
        ({}, False),
        ({"$process_person_profile": True}, True),  # posthog-js, with the visitor's own id
        ({"$process_person_profile": False}, False),
    ],
)
def test_a_backends_description_of_a_group_makes_no_person(properties, profile):
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"seats": 3}}
    assert only(event="$groupidentify", properties=group | properties).profile is profile

"""Exports of other products are imported as they are."""

import gzip
import json
from typing import Any

import pytest
from django.core.management import CommandError

from analytics.ingestion.retrying import retry
from analytics.models import DistinctId, Event, Group, Person, RejectedEvent

pytestmark = pytest.mark.django_db

Json = dict[str, Any]

POSTHOG: Json = {
    "uuid": "0190163d-8694-739b-aea5-966c26f8ad91",
    "event": "$pageview",
    "distinct_id": "ada",
    "person_id": "0190163d-0000-0000-0000-000000000000",
    "properties": {"$current_url": "https://example.com/", "$set": {"plan": "pro"}},
    "person_properties": {"plan": "free"},
    "elements_chain": "",
    "timestamp": "2024-05-01T10:00:00.123000+00:00",
    "created_at": "2024-05-01T10:00:01.000000+00:00",
    "_inserted_at": "2024-05-01T10:00:02.000000+00:00",
}
MIXPANEL: Json = {
    "event": "Signed up",
    "properties": {
        "time": 1714557600,
        "distinct_id": "ada",
        "$insert_id": "hpuDqcvpltpCjBse",
        "mp_processing_time_ms": 1714557601874,
        "$browser": "Chrome",
    },
}
AMPLITUDE: Json = {
    "$schema": None,
    "$insert_id": "5f0adeff-6668-4427-8d02-57d803a2b841",
    "uuid": "8e8a6c4e-0bb1-11ef-8b5c-ce3fca9c3b3c",
    "event_type": "Signed up",
    "event_time": "2024-05-01 10:00:00.123000",
    "user_id": "ada",
    "device_id": "d1",
    "amplitude_id": 100000000001,
    "app": 123456,
    "country": "Ukraine",
    "event_properties": {"template": "invoice"},
    "user_properties": {"plan": "pro"},
    "groups": {"company": ["acme"]},
    "server_upload_time": "2024-05-01 10:00:02.000000",
}
SEGMENT: Json = {
    "type": "track",
    "event": "Signed up",
    "userId": "ada",
    "anonymousId": "a1",
    "messageId": "ajs-next-1714557600000-d8ae35ff",
    "timestamp": "2024-05-01T10:00:00.123Z",
    "originalTimestamp": "2024-05-01T12:00:00.123Z",
    "sentAt": "2024-05-01T12:00:00.200Z",
    "receivedAt": "2024-05-01T10:00:00.200Z",
    "properties": {"plan": "pro"},
    "context": {"library": {"name": "analytics.js", "version": "2.11.1"}},
    "integrations": {},
}
EXPORTS = {"posthog": POSTHOG, "mixpanel": MIXPANEL, "amplitude": AMPLITUDE, "segment": SEGMENT}


@pytest.fixture
def import_export(import_events):
    """Return a function that imports events of a product's export, and returns the stored ones."""

    def run(product, *events, name="export.json"):
        content = "\n".join(map(json.dumps, events))
        import_events(content, "--format", product, name=name)
        return list(Event.objects.order_by("timestamp", "event"))

    return run


def ids_of(person):
    return set(DistinctId.objects.filter(person=person).values_list("distinct_id", flat=True))


@pytest.mark.parametrize("product", EXPORTS)
def test_a18_an_export_is_imported_and_the_second_time_changes_nothing(
    import_events, tmp_path, product
):
    content = gzip.compress(json.dumps(EXPORTS[product]).encode())
    assert "1 stored" in import_events(content, "--format", product, name="a.json.gz")
    again = content + gzip.compress(b"\n")
    assert "0 stored, 1 already stored" in import_events(again, "--format", product)
    event = Event.objects.get()
    assert (event.distinct_id, f"{event.timestamp:%F %T}") == ("ada", "2024-05-01 10:00:00")


def test_a18_posthog_keeps_its_properties_and_sets_those_of_the_person(import_export):
    (event,) = import_export("posthog", POSTHOG)
    assert (str(event.uuid), event.event) == (POSTHOG["uuid"], "$pageview")
    assert event.properties == POSTHOG["properties"]
    assert Person.objects.get().properties == {"plan": "pro"}


def test_a18_posthog_properties_may_be_texts_as_in_parquet(import_export):
    (event,) = import_export("posthog", POSTHOG | {"properties": json.dumps(POSTHOG["properties"])})
    assert event.properties == POSTHOG["properties"]


def test_a18_mixpanel_events_are_repeated_by_insert_id_and_time(import_export):
    later = MIXPANEL["properties"] | {"time": 1714557700}
    events = import_export("mixpanel", MIXPANEL, MIXPANEL, MIXPANEL | {"properties": later})
    assert [event.timestamp.timestamp() for event in events] == [1714557600, 1714557700]
    assert events[0].properties == {"$browser": "Chrome", "$insert_id": "hpuDqcvpltpCjBse"}


def test_a18_mixpanel_times_may_be_milliseconds(import_export):
    properties = MIXPANEL["properties"] | {"time": 1714557600123}
    (event,) = import_export("mixpanel", MIXPANEL | {"properties": properties})
    assert event.timestamp.timestamp() == 1714557600.123


def test_a18_mixpanel_identify_joins_the_visitor_and_the_user(import_export):
    ids = {"$identified_id": "ada", "$anon_id": "a1", "distinct_id": "ada", "time": 1714557601}
    visit = MIXPANEL["properties"] | {"distinct_id": "a1"}
    import_export(
        "mixpanel", MIXPANEL | {"properties": visit}, {"event": "$identify", "properties": ids}
    )
    assert ids_of(Person.objects.get()) == {"ada", "a1"}


def test_a18_amplitude_user_properties_become_those_of_the_person(import_export):
    (event,) = import_export("amplitude", AMPLITUDE)
    assert str(event.uuid) == AMPLITUDE["uuid"]
    assert event.properties["template"] == "invoice"
    assert event.properties["$groups"] == {"company": ["acme"]}
    assert not {"app", "server_upload_time"} & event.properties.keys()
    assert Person.objects.get().properties == {"plan": "pro"}


def test_a18_amplitude_names_the_device_where_there_is_no_user(import_export):
    (event,) = import_export("amplitude", AMPLITUDE | {"user_id": None})
    assert event.distinct_id == "d1"


def test_a18_amplitude_identify_joins_the_device_and_the_user(import_export):
    visit = AMPLITUDE | {"user_id": None, "uuid": None, "$insert_id": "1"}
    identify = AMPLITUDE | {"event_type": "$identify"}
    import_export("amplitude", visit, identify)
    assert ids_of(Person.objects.get()) == {"ada", "d1"}


def test_a18_segment_identify_sets_traits_and_joins_the_visitor(import_export):
    visit = SEGMENT | {"userId": None, "messageId": "1"}
    import_export("segment", visit, SEGMENT | {"type": "identify", "traits": {"plan": "team"}})
    person = Person.objects.get()
    assert (ids_of(person), person.properties) == ({"ada", "a1"}, {"plan": "team"})


def test_a18_segment_calls_become_the_events_of_posthog_sdks(import_export):
    page = {"type": "page", "name": "Home", "properties": {"url": "https://example.com/"}}
    calls: list[Json] = [
        page,
        {"type": "screen", "name": "Home"},
        {"type": "group", "groupId": "acme", "traits": {"seats": 3}},
        {"type": "alias", "previousId": "a2"},
    ]
    events = import_export(
        "segment", *(SEGMENT | {"messageId": call["type"]} | call for call in calls)
    )
    assert [event.event for event in events] == [
        *("$create_alias", "$groupidentify", "$pageview", "$screen"),
    ]
    assert events[2].properties["$current_url"] == "https://example.com/"
    assert Group.objects.get().properties == {"seats": 3}
    assert ids_of(Person.objects.get()) == {"ada", "a2"}


def test_a18_a_call_that_segment_does_not_specify_costs_its_line(import_events):
    content = "\n".join(map(json.dumps, [SEGMENT, SEGMENT | {"type": "delete"}]))
    with pytest.raises(SystemExit):
        import_events(content, "--format", "segment")
    assert RejectedEvent.objects.get().detail == "type: not a call of Segment's spec"


@pytest.mark.parametrize("product", ["mixpanel", "amplitude", "segment"])
def test_a18_an_export_without_its_format_is_refused_with_the_format(import_events, product):
    with pytest.raises(CommandError, match=f"It looks like --format {product}"):
        import_events(json.dumps(EXPORTS[product]))
    assert not Event.objects.exists()


def test_a18_an_export_that_is_csv_is_refused(import_events):
    with pytest.raises(CommandError, match="an export of mixpanel is JSON, but this is not"):
        import_events("event,distinct_id,time\n", "--format", "mixpanel", name="events.csv")


def test_a18_an_export_has_columns_of_its_own(import_events):
    with pytest.raises(CommandError, match="has columns of its own"):
        import_events(json.dumps(MIXPANEL), "--format", "mixpanel", "--event", "x")


def test_a18_a_rejected_event_of_an_export_is_read_in_its_format_again(import_events):

    bad = MIXPANEL | {"properties": MIXPANEL["properties"] | {"time": "never"}}
    with pytest.raises(SystemExit):
        import_events("\n".join(map(json.dumps, [MIXPANEL, bad])), "--format", "mixpanel")
    fixed = bad | {"properties": bad["properties"] | {"time": 1714557800}}
    RejectedEvent.objects.update(payload=json.dumps(fixed).encode())
    assert retry(RejectedEvent.objects.all()).stored == 1

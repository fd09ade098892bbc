"""What every SDK sends, as recorded or built from its source, arrives as the SDK means it.

`recorded/` has a file for each SDK and version, made as CONTRIBUTING.md says. Each case in it is
replayed through the web server's entry point and ingested; what has to come of it is in `expected`,
written from what was asked of the SDK.
"""

import json
import re
from datetime import timedelta
from itertools import chain
from uuid import UUID

import pytest

from analytics.models import (
    DistinctId,
    Event,
    EventOutcome,
    Group,
    Person,
    PersonMerge,
    ProjectKey,
)
from tests import sdk
from tests.ledger import totals
from tests.processes import ROOT
from tests.sdks.record import KEY
from tests.sdks.recordings import (
    FILES,
    RECORDINGS,
    answer_to,
    events_in,
    happened_at,
    is_capture,
    received_at,
    send,
)

pytestmark = pytest.mark.django_db

CASES = [(name, case) for name, recording in RECORDINGS.items() for case in recording["expected"]]
CAPTURE_PAGE = ROOT / "docs" / "capture.md"
SDKS = "js python node ruby php go dotnet ios android flutter elixir rs".split()

by_case = pytest.mark.parametrize(("name", "case"), CASES, ids=map(": ".join, CASES))


@pytest.fixture
def replay(monkeypatch):
    """Send the requests of a case; return them, each with its answer, after ingesting them."""
    ProjectKey.objects.create(name="Recorded", token=KEY)

    def replay(name, case):
        requests = [dict(r) for r in RECORDINGS[name]["requests"] if r["case"] == case]
        for request in requests:
            now = received_at(request)
            monkeypatch.setattr("analytics.capture.capture.now", lambda now=now: now)
            request["answer"] = send(request)
        sdk.ingest()
        return requests

    return replay


def expected_of(name, case):
    return RECORDINGS[name]["expected"][case]


@by_case
def test_each_request_is_answered_as_the_sdk_needs_it(replay, name, case):
    for request in filter(is_capture, replay(name, case)):
        answer = request["answer"]
        body = json.loads(answer.content) if answer.content else None
        assert (answer.status_code, body) == answer_to(request), request["path"]


@by_case
def test_each_event_is_stored_with_its_name_and_distinct_id(replay, name, case):
    replay(name, case)
    stored = Event.objects.values_list("event", "distinct_id")
    assert sorted(map(list, stored)) == sorted(expected_of(name, case)["events"])


@by_case
def test_each_event_keeps_its_uuid(replay, name, case):
    requests = replay(name, case)
    sent = {UUID(e["uuid"]) for r in requests for e in events_in(r) if "uuid" in e}
    assert sent <= set(Event.objects.values_list("uuid", flat=True))


@by_case
def test_each_event_has_its_time_by_our_clock(replay, name, case):
    for request in replay(name, case):
        for event in events_in(request):
            key = {"uuid": event["uuid"]} if "uuid" in event else {"event": event["event"]}
            expected = happened_at(event, request, expected_of(name, case))
            assert abs(Event.objects.get(**key).timestamp - expected) < timedelta(milliseconds=1)


@by_case
def test_persons_have_their_ids_and_properties(replay, name, case):
    replay(name, case)
    for expected in expected_of(name, case)["persons"]:
        person = Person.objects.get(distinct_ids__distinct_id=expected["ids"][0])
        ids = sorted(person.distinct_ids.values_list("distinct_id", flat=True))
        assert ids == sorted(expected["ids"])
        properties = expected["properties"]
        assert {name: person.properties.get(name) for name in properties} == properties


@by_case
def test_only_persons_have_a_profile(replay, name, case):
    replay(name, case)
    ids = DistinctId.objects.filter(person__has_profile=True).values_list("distinct_id", flat=True)
    expected = [person["ids"] for person in expected_of(name, case)["persons"]]
    assert sorted(ids) == sorted(chain(*expected))


@by_case
def test_groups_have_their_properties(replay, name, case):
    replay(name, case)
    groups = Group.objects.values_list("group_type", "group_key", "properties")
    stored = {f"{kind}:{key}": properties for kind, key, properties in groups}
    assert stored == expected_of(name, case).get("groups", {})


@by_case
def test_ids_are_joined_as_the_sdk_says(replay, name, case):
    replay(name, case)
    journal = PersonMerge.objects.order_by("pk").values_list("result", "distinct_id", "other_id")
    assert list(map(list, journal)) == expected_of(name, case).get("merges", [])


@by_case
def test_the_ledger_has_only_stored_events(replay, name, case):
    replay(name, case)
    events = len(expected_of(name, case)["events"])
    assert {name: count for name, count in totals().items() if count} == {
        EventOutcome.ACCEPTED: events,
        EventOutcome.STORED: events,
    }


@by_case
def test_each_event_says_which_library_sent_it(replay, name, case):
    replay(name, case)
    libraries = set(Event.objects.values_list("properties__$lib", flat=True))
    versions = set(Event.objects.values_list("properties__$lib_version", flat=True))
    recording = RECORDINGS[name]
    assert (libraries, versions) == ({recording["lib"]}, {recording["version"]})


@by_case
def test_flags_and_configuration_are_answered_with_nothing_to_do(replay, name, case):
    for request in replay(name, case):
        if is_capture(request):
            continue
        answer, path = request["answer"], request["path"].partition("?")[0]
        if path.endswith("/config"):
            assert answer.json()["sessionRecording"] is answer.json()["surveys"] is False
        elif path.endswith(".js"):
            assert answer.status_code in {200, 404}
        else:
            assert answer.json()["featureFlags"] == answer.json()["flags"] == {}


def test_every_sdk_is_here_with_its_version_and_how_its_bodies_were_obtained():
    assert {recording["sdk"] for recording in RECORDINGS.values()} == {f"posthog-{s}" for s in SDKS}
    for name, recording in RECORDINGS.items():
        assert name == f"{recording['sdk']}-{recording['version']}"
        assert recording["obtained"].startswith(("recorded", "built from the source"))


def test_the_documentation_lists_each_version_and_how_its_requests_were_obtained():
    rows = re.findall(
        r"^\| (posthog-\w+) \| ([\d.]+) \| (.*) \|$", CAPTURE_PAGE.read_text(), re.MULTILINE
    )
    documented = {f"{name}-{version}": how.split(",")[0] for name, version, how in rows}
    obtained = {name: recording["obtained"] for name, recording in RECORDINGS.items()}
    kinds = {"recorded": "recorded", "from source": "built from the source"}
    assert documented.keys() == obtained.keys()
    assert all(obtained[name].startswith(kinds[how]) for name, how in documented.items())


@pytest.mark.parametrize("text", ["/work", "/tmp/", "/root", "/home/", "127.0.0.1", "localhost"])
def test_no_recording_says_where_it_was_made(text):
    assert [path.name for path in FILES if text in path.read_text()] == []

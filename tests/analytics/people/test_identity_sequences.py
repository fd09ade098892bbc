"""However identity events are split into batches, they end as one at a time, in order, would."""

import json
import uuid
from collections import defaultdict, deque
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import pytest
from django.db import transaction
from django.test import TestCase
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations import parsing
from analytics.calculations.batch import EventBatch
from analytics.calculations.people import bounds
from analytics.calculations.people.identity_hash import identity_hash
from analytics.calculations.records import Arrival, Proof, Source
from analytics.capture import verified_identity
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.ingest import store
from analytics.models import Counter, DistinctId, Event, EventDay, Person, PersonMerge
from analytics.people import profiles
from analytics.rollups import rebuild
from tests import sdk
from tests.analytics import identity_model as model
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

START = datetime(2024, 5, 1, tzinfo=UTC)
IDS = st.sampled_from([*"abcdefabcdef", "Guest", "null", "' '"])
NAMES = st.sampled_from(["x", "y", "zoo"])
VALUES = st.sampled_from([1, "two", [3], None])
PROOFS = st.sampled_from(["claimed", "claimed", "claimed", "verified", "proved"])
SECRET = b"of the tests"
MERGING = {
    "$identify": "$anon_distinct_id",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}


EVENTS = [*MERGING, *MERGING, "$set", "used", "signed_up", "workflow_created"]


@st.composite
def events(draw, names=EVENTS):
    """Draw what an SDK would send: mostly about who is who."""
    name = draw(st.sampled_from(names))
    properties = {}
    if name in MERGING and (name != "$identify" or draw(st.booleans())):
        properties[MERGING[name]] = draw(IDS)
    for kind in ("$set", "$set_once"):
        if draw(st.integers(0, 3)) == 0:
            properties[kind] = draw(st.dictionaries(NAMES, VALUES, max_size=2))
    if draw(st.integers(0, 5)) == 0:
        properties["$unset"] = [draw(NAMES)]
    if draw(st.integers(0, 4)) == 0:
        properties["$process_person_profile"] = False
    hours = draw(st.integers(0, 24 * 40))
    return {
        "event": name,
        "proof": draw(PROOFS),
        "distinct_id": draw(IDS),
        "timestamp": (START + timedelta(hours=hours)).isoformat(),
        "properties": properties,
    }


@st.composite
def histories(draw):
    """Draw events with uuids, some of them sent twice; the last ones only prove ids."""
    drawn = draw(st.lists(events(), min_size=8, max_size=25))
    drawn += draw(st.lists(events(["used"]), max_size=4))
    history = [event | {"uuid": None} for event in drawn]
    for number, event in enumerate(history):
        event["uuid"] = str(uuid.UUID(int=number + 1, version=4))
    for source, distance in draw(
        st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3)
    ):
        event = history[source % len(history)]
        history.insert(history.index(event) + 1 + distance % 5, event)
    return history


def batches(history, cuts):
    edges = sorted({cut % (len(history) + 1) for cut in cuts} | {0, len(history)})
    return [history[start:end] for start, end in pairwise(edges)]


def on_the_wire(event, secret):
    """Return an event as it is sent, signed where it is verified."""
    event = {name: value for name, value in event.items() if name != "proof"} | (
        {"properties": event["properties"] | {"$identity_hash": signed(event, secret)}}
        if event["proof"] == "verified"
        else {}
    )
    return json.dumps(event).encode()


def signed(event, secret):
    return identity_hash(event["distinct_id"], secret)


def read(event):
    proof = Proof.PROVED if event["proof"] == "proved" else Proof.CLAIMED
    arrival = Arrival(datetime.now(UTC), source=Source(None, proof, [SECRET]))
    return parsing.parse([on_the_wire(event, SECRET)], arrival).events


def through_store(parts):
    for part in parts:
        store(EventBatch.concatenate([read(event) for event in part]))


def in_pairs(events):
    """Yield one or two events for a request; an older second would be history (test_a10)."""
    events = deque(events)
    while events:
        pair = [events.popleft()]
        if events and events[0]["timestamp"] >= pair[0]["timestamp"]:
            pair.append(events.popleft())
        yield pair


def through_inbox(parts):
    """Send each part as requests of up to two events, and ingest part by part in one process."""
    inbox, keys = Inbox(), {True: sdk.server_key(), False: sdk.key()}
    secret = verified_identity.secret_of(verified_identity.current_secret()).encode()
    for part in parts:
        for is_proved, its_events in groupby(part, lambda event: event["proof"] == "proved"):
            for pair in in_pairs(its_events):
                batch = b",".join(on_the_wire(event, secret) for event in pair)
                body = b'{"api_key": "%b", "batch": [%b]}' % (keys[is_proved].encode(), batch)
                assert sdk.post("/batch/", body).status_code == 200
        with TestCase.captureOnCommitCallbacks(execute=True):  # so that persons are cached
            while inbox.process_batch():
                pass


@contextmanager
def single_person(distinct_id, *, excluded_by_hand):
    """Create a single person, perhaps with a decision by hand, and roll everything back after."""
    with transaction.atomic():
        person = Person.objects.create(
            excluded_by_hand=excluded_by_hand, excluded=bool(excluded_by_hand), has_profile=False
        )
        DistinctId.objects.create(distinct_id=distinct_id, person=person)
        yield
        transaction.set_rollback(True)


def outcome():
    """Return everything stored about persons, without their ids."""
    ids_of = defaultdict(list)
    for distinct_id in DistinctId.objects.order_by("distinct_id"):
        ids_of[distinct_id.person_id].append(distinct_id.distinct_id)
    counters = Counter.objects.exclude(value=0).values_list("name", "day", "number", "value")
    proved = DistinctId.objects.filter(proved=True).values_list("distinct_id", flat=True)
    return {
        "proved": set(proved),
        "persons": {tuple(ids_of[person.pk]): facts(person) for person in Person.objects.all()},
        "journal": [journal_line(entry) for entry in PersonMerge.objects.order_by("pk")],
        "counters": set(counters),
        "events": set(EventDay.objects.exclude(value=0).values_list("event", "day", "value")),
    }


def facts(person):
    milestones = (person.first_seen_at, person.signup_at, person.activated_at)
    flags = (person.is_identified, person.has_profile, person.excluded_by_hand)
    layers = (person.properties, person.proved, person.claimed, person.refused)
    return (*layers, *flags, bool(person.excluded), *milestones)


def journal_line(entry):
    line = (entry.result, entry.cause, str(entry.event_uuid), entry.distinct_id, entry.other_id)
    before = entry.before
    for side in ("person", "other"):
        for times in ("set_at", "proved_set_at"):  # tests/analytics/people/test_a10_history.py
            before.get(side, {}).pop(times, None)
    return (*line, before)


def model_outcome(history, excluded_by_hand, limits):
    person = model.Person({"a"}, excluded_by_hand=excluded_by_hand)
    world = model.World([person], bounds=model.Bounds(**limits))
    for event in history:
        world.apply(event | {"uuid": str(uuid.UUID(bytes=read(event)[0].uuid))})
    return {
        "proved": {id_ for person in world.persons for id_ in person.proved_ids},
        "persons": {tuple(sorted(person.ids)): model_facts(person) for person in world.persons},
        "journal": world.journal,
    }


def model_facts(person):
    milestones = (person.first(), person.first("signed_up"), person.first("workflow_created"))
    flags = (person.identified, person.has_profile, person.excluded_by_hand)
    layers = (person.properties, person.proved, person.claimed, person.refused)
    return (*layers, *flags, bool(person.excluded_by_hand), *milestones)


@contextmanager
def bounded(limits, *, in_portions):
    """Set other bounds of the properties of persons, and perhaps of those in memory at once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(bounds, f"MAX_{name.upper()}", value)
        if in_portions:
            patch.setattr(profiles, "ALWAYS_FIT", 0)
            patch.setattr(profiles, "MOST_AT_ONCE", 80)
        yield


def assert_consistent():
    """Counters are as rebuilt, and every event stands with whom its id names now."""
    assert rebuild.check() == []
    person_of = dict(DistinctId.objects.values_list("distinct_id", "person"))
    for event in Event.objects.all():
        assert event.person_id == person_of[event.distinct_id]


@pytest.mark.parametrize("way", [through_store, through_inbox])
@examples(40)
@given(
    history=histories(),
    cuts=st.lists(st.integers(0, 99), max_size=3),
    excluded=st.sampled_from([None, True, False]),
    limits=st.sampled_from([{}, {"size": 16}, {"value": 9}, {"names": 1}]),
    in_portions=st.booleans(),
)
def test_p04_s05_any_split_into_batches_gives_the_same_as_event_by_event(
    way, history, cuts, excluded, limits, in_portions
):
    with bounded(limits, in_portions=in_portions):
        check_batches(way, history, cuts, excluded, limits)


def check_batches(way, history, cuts, excluded, limits):
    with single_person("a", excluded_by_hand=excluded):
        way(batches(history, cuts))
        stored = outcome()
        assert_consistent()
    expected = model_outcome(history, excluded, limits)
    assert {name: stored[name] for name in expected} == expected
    with single_person("a", excluded_by_hand=excluded):
        through_store([[event] for event in history])
        assert outcome() == stored

"""Who is who: what `$identify`, `$create_alias` and `$merge_dangerously` do, and refuse."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from posthog import Posthog

from analytics.calculations import parsing
from analytics.calculations.cells import CounterName
from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.records import Arrival, Proof, Source
from analytics.capture.capture import ensure_default_project_key
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.ingest import store
from analytics.models import Counter, DistinctId, Event, Group, Person, PersonMerge
from analytics.rollups import rebuild

pytestmark = pytest.mark.django_db

ILLEGAL_IN_ANY_CASE = (
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false"
)
ILLEGAL = [
    *ILLEGAL_IN_ANY_CASE.split(),
    *ILLEGAL_IN_ANY_CASE.title().split(),
    *ILLEGAL_IN_ANY_CASE.upper().split(),
    *["[object Object]", "NaN", "None", "none", "null", "0", "''", '""', '" "', "'   '"],
]
LEGAL = ["ada", "nan", "NULL", "00", "guest-7", "ids", "[object object]", "e-mail", "NONE", "-"]


def sent(event, distinct_id, *, at="2024-05-01T12:00:00Z", proof=Proof.CLAIMED, **properties):
    """Store one event as it comes off the wire; `alias`, `anon` and the like are properties."""
    names = {"anon": "$anon_distinct_id", "set_": "$set", "once": "$set_once", "unset": "$unset"}
    properties = {names.get(name, name): value for name, value in properties.items()}
    body = {"event": event, "distinct_id": distinct_id, "timestamp": at, "properties": properties}
    arrival = Arrival(datetime.now(UTC), source=Source(proof=proof))
    parsed = parsing.parse([json.dumps(body | {"uuid": str(uuid.uuid4())}).encode()], arrival)
    store(parsed.events)


def person(distinct_id):
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def persons():
    """Return all persons as sets of ids."""
    return {
        frozenset(person.distinct_ids.values_list("distinct_id", flat=True))
        for person in Person.objects.all()
    }


def journal():
    return list(PersonMerge.objects.order_by("pk").values_list("result", "distinct_id", "other_id"))


def single_person(*ids):
    return {frozenset(ids)}


def test_linking_an_id_to_itself_changes_nothing():
    sent("used", "ada")
    sent("$create_alias", "ada", alias="ada")
    assert (persons(), journal(), person("ada").is_identified) == (single_person("ada"), [], False)


def test_two_new_ids_become_a_single_identified_person():
    sent("$create_alias", "ada", alias="a-1")
    assert (persons(), person("a-1").is_identified) == (single_person("ada", "a-1"), True)


@pytest.mark.parametrize("existing", ["ada", "a-1"])
def test_a_new_id_is_attached_to_the_existing_person(existing):
    sent("used", existing)
    kept = person(existing).pk
    sent("$identify", "ada", anon="a-1")
    assert persons() == single_person("ada", "a-1")
    assert (person("ada").pk, person("ada").is_identified, journal()) == (kept, True, [])


@pytest.mark.parametrize(
    ("event", "naming"),
    [("$identify", "anon"), ("$create_alias", "alias"), ("$merge_dangerously", "alias")],
)
def test_two_existing_persons_are_merged_and_the_journal_says_why(event, naming):
    sent("used", "ada")
    sent("used", "a-1")
    kept, merged = person("ada").pk, person("a-1").pk
    sent(event, "ada", proof=Proof.VERIFIED, **{naming: "a-1"})
    assert (persons(), person("a-1").pk) == (single_person("ada", "a-1"), kept)
    entry = PersonMerge.objects.get()
    assert (entry.result, entry.cause, entry.person_id, entry.other_person_id) == (
        "merged",
        event,
        kept,
        merged,
    )


@pytest.mark.parametrize(("event", "naming"), [("$identify", "anon"), ("$create_alias", "alias")])
def test_p04_two_identified_persons_are_not_merged(event, naming):
    sent("$identify", "ada")
    sent("$identify", "ben")
    sent(event, "ada", **{naming: "ben"})
    assert persons() == single_person("ada") | single_person("ben")


def test_p05_a_refused_merge_is_in_the_journal_with_both_persons_and_its_cause():
    sent("$identify", "ada")
    sent("$identify", "ben")
    sent("$create_alias", "ada", alias="ben")
    assert journal() == [("cannot_merge_already_identified", "ada", "ben")]
    entry = PersonMerge.objects.get()
    assert (entry.person_id, entry.other_person_id) == (person("ada").pk, person("ben").pk)
    assert (entry.cause, entry.event_uuid) == (
        "$create_alias",
        Event.objects.get(event="$create_alias").uuid,
    )


def test_p04_an_identified_person_absorbs_an_anonymous_person_but_is_not_absorbed():
    sent("$identify", "ada")
    sent("used", "a-1")
    sent("$create_alias", "a-1", alias="ada")
    assert persons() == single_person("ada") | single_person("a-1")
    sent("$create_alias", "ada", alias="a-1")
    assert persons() == single_person("ada", "a-1")


def test_the_next_user_of_the_same_browser_is_not_merged_into_the_first():
    sent("$identify", "ada", anon="a-1")
    sent("used", "ben")
    sent("$identify", "ben", anon="a-1")  # the SDK was not reset
    assert persons() == single_person("ada", "a-1") | single_person("ben")
    assert journal() == [("cannot_merge_already_identified", "ben", "a-1")]


def test_merge_dangerously_merges_two_identified_persons():
    sent("$identify", "ada")
    sent("$identify", "ben")
    sent("$merge_dangerously", "ada", proof=Proof.VERIFIED, alias="ben")
    assert (persons(), journal()) == (single_person("ada", "ben"), [("merged", "ada", "ben")])


@pytest.mark.parametrize("distinct_id", ILLEGAL)
def test_a_placeholder_id_does_not_identify_a_person(distinct_id):
    assert is_illegal(distinct_id)


@pytest.mark.parametrize("distinct_id", LEGAL)
def test_an_id_that_only_resembles_a_placeholder_identifies_a_person(distinct_id):
    assert not is_illegal(distinct_id)


@pytest.mark.parametrize("illegal", ["anonymous", "GUEST", "[object Object]", 0, True, '" "', ""])
@pytest.mark.parametrize("event", ["$create_alias", "$merge_dangerously"])
def test_p05_a_merge_with_an_illegal_id_is_refused_and_in_the_journal(event, illegal):
    sent("used", "ada")
    sent(event, "ada", alias=illegal)
    as_text = illegal if isinstance(illegal, str) else json.dumps(illegal)
    assert (persons(), journal()) == (
        single_person("ada"),
        [("illegal_distinct_id", "ada", as_text)],
    )
    assert not person("ada").is_identified


def test_no_person_is_merged_into_an_illegal_id():
    sent("used", "a-1")
    sent("$identify", "undefined", anon="a-1")
    assert persons() == single_person("a-1") | single_person("undefined")
    assert journal() == [("illegal_distinct_id", "undefined", "a-1")]
    assert not Person.objects.filter(is_identified=True).exists()


def test_identify_without_another_id_identifies_without_a_merge():
    sent("$identify", "ada", anon=None)
    assert (person("ada").is_identified, journal()) == (True, [])


@pytest.mark.django_db(transaction=True)
def test_the_alias_call_of_posthog_python_names_the_new_id_as_alias(live_server):
    posthog = Posthog(ensure_default_project_key().token, host=live_server.url)
    posthog.capture("used", distinct_id="a-1", properties={"$set": {"plan": "free"}})
    posthog.alias("a-1", "ada")  # previous id, distinct id
    posthog.capture("used", distinct_id="ada")
    posthog.shutdown()
    while Inbox().process_batch():
        pass
    assert persons() == single_person("a-1", "ada")
    event = Event.objects.get(event="$create_alias")
    assert (event.distinct_id, event.properties["alias"]) == ("a-1", "ada")
    assert person("ada").properties == {"plan": "free"}


def test_at_a_merge_the_properties_of_the_kept_person_win():
    sent("$set", "ada", set_={"plan": "pro", "name": "Ada"})
    sent("$set", "a-1", set_={"plan": "free", "ref": "ad"})
    sent("$create_alias", "ada", alias="a-1")
    assert person("ada").properties == {"plan": "pro", "name": "Ada", "ref": "ad"}


def test_the_properties_of_a_merging_event_are_set_after_the_merge():
    sent("$set", "a-1", set_={"plan": "free", "ref": "ad", "tmp": 1})
    sent("used", "ada")
    sent("$identify", "ada", anon="a-1", set_={"plan": "pro"}, once={"ref": "x"}, unset=["tmp"])
    assert person("ada").properties == {"plan": "pro", "ref": "ad"}


def test_unset_removes_a_property():
    sent("$set", "ada", set_={"plan": "pro", "name": "Ada"})
    sent("used", "ada", unset=["plan", "never there"])
    assert person("ada").properties == {"name": "Ada"}


def test_at_a_merge_the_earliest_milestones_stay():
    sent("signed_up", "ada", at="2024-05-03T12:00:00Z")
    sent("workflow_created", "a-1", at="2024-05-02T12:00:00Z")
    first_known = min(person("ada").created_at, person("a-1").created_at)
    sent("$create_alias", "ada", alias="a-1", at="2024-05-04T12:00:00Z")
    merged = person("ada")
    assert merged.first_seen_at == merged.activated_at == datetime(2024, 5, 2, 12, tzinfo=UTC)
    assert merged.signup_at == datetime(2024, 5, 3, 12, tzinfo=UTC)
    assert merged.created_at == first_known


def test_a_merge_moves_events_and_counters():
    sent("used", "ada")
    sent("used", "a-1")
    sent("$create_alias", "ada", alias="a-1")
    assert set(Event.objects.values_list("person", flat=True)) == {person("ada").pk}
    active = Counter.objects.get(name=CounterName.ACTIVE_DAY)
    assert (active.value, rebuild.check()) == (1, [])


def test_events_of_an_anonymous_id_after_its_merge_belong_to_the_merged_person():
    sent("used", "a-1")
    sent("used", "ada")
    sent("$identify", "ada", anon="a-1")
    sent("used", "a-1", at="2024-05-02T12:00:00Z")
    assert persons() == single_person("ada", "a-1")
    assert Event.objects.filter(person=person("ada")).count() == 4


def test_a_personless_event_is_stored_without_creating_or_changing_a_profile():
    sent("used", "a-1", set_={"plan": "pro"}, **{"$process_person_profile": False})
    assert (Event.objects.count(), person("a-1").properties) == (1, {})
    assert not person("a-1").has_profile
    assert not Counter.objects.exclude(value=0).exists()


def test_a_personless_person_that_is_identified_counts_from_their_first_event():
    sent("signed_up", "a-1", **{"$process_person_profile": False})
    sent("$identify", "ada", anon="a-1")
    assert (person("ada").has_profile, DistinctId.objects.count()) == (True, 2)
    assert Counter.objects.get(name=CounterName.SIGNUP).value == 1
    assert rebuild.check() == []


def group(group_type="company", key="acme", **properties):
    sent(
        "$groupidentify",
        "ada",
        **{"$group_type": group_type, "$group_key": key, "$group_set": properties},
    )


def test_groups_are_stored_with_the_latest_properties():
    group(name="Acme", plan="free")
    group(plan="pro")
    group(key=7)
    assert {
        group.group_key: group.properties for group in Group.objects.filter(group_type="company")
    } == {
        "acme": {"name": "Acme", "plan": "pro"},
        "7": {},
    }


def test_a_group_without_type_or_key_is_stored_as_an_event_only():
    group(key=None)
    group(group_type="")
    assert (Event.objects.count(), Group.objects.count()) == (2, 0)

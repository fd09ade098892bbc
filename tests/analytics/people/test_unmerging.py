"""Undoing merges."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import (
    Counter,
    DistinctId,
    Event,
    EventDay,
    ExclusionRule,
    Person,
    PersonDay,
    PersonMerge,
)
from analytics.people import exclusions, unmerging
from analytics.people.unmerging import CannotUndo
from analytics.rollups import rebuild
from tests.analytics.merges import merge, person_with, set_
from tests.analytics.people_histories import DAY
from tests.events import NOON, record
from tests.property_tests import examples

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("the_counters_equal_rebuilt_ones"),
]

NOW = datetime(2024, 7, 1, tzinfo=UTC)


def undo(line: PersonMerge) -> PersonMerge:
    return unmerging.undo(line.pk, by="eve", now=NOW)


def state():
    """Return everything that a merge touches, but the journal."""
    return {
        "persons": sorted(
            Person.objects.values_list(
                *("pk", "properties", "is_identified", "has_profile", "is_demo"),
                *("excluded", "excluded_by_hand", "first_seen_at", "first_event_at"),
                *("signup_at", "activated_at"),
            ),
            key=lambda row: row[0],
        ),
        "ids": dict(DistinctId.objects.values_list("distinct_id", "person_id")),
        "events": dict(Event.objects.values_list("uuid", "person_id")),
        "days": set(PersonDay.objects.values_list("person_id", "day")),
        "counters": set(
            Counter.objects.exclude(value=0).values_list("name", "day", "number", "value")
        ),
        "event days": set(EventDay.objects.exclude(value=0).values_list("event", "day", "value")),
    }


@pytest.mark.parametrize("event", ["$identify", "$create_alias", "$merge_dangerously", None])
def test_undoing_a_merge_restores_the_other_person(two_people, event):
    before = person_with("anon")
    if event:
        store([record(event, "ada", NOON + DAY, other_id="anon", proof=Proof.VERIFIED)])
    else:
        merge("ada", "anon")
    line = undo(PersonMerge.objects.get())
    restored = person_with("anon")
    assert (line.result, line.undone_by, line.undone_at) == ("undone", "eve", NOW)
    assert (restored.pk, restored.properties) == (before.pk, {"plan": "free", "browser": "Firefox"})
    assert (restored.first_event_at, restored.is_identified) == (NOON + DAY, False)
    assert person_with("ada").properties == {"name": "Ada", "plan": "pro"}


def test_a_person_identified_by_an_event_stays_identified_after_the_undo(two_people):
    store([record("$identify", "ada", other_id="anon")])
    undo(PersonMerge.objects.get())
    assert person_with("ada").is_identified


def test_the_undo_identifies_no_person_by_what_was_claimed_before_its_id_was_split_off():
    store([record("$create_alias", "ben", other_id="ada"), record("$identify", "ada")])
    store([record("used", distinct_id, proof=Proof.PROVED) for distinct_id in ("ben", "ada")])
    store([record("used", "cleo")])
    before = state()
    undo(merge("cleo", "ada"))
    assert state() == before


def test_events_of_the_other_id_since_the_merge_move_back_with_it(two_people):
    line = merge("ada", "anon")
    store([record("paid", "anon", NOON + 9 * DAY), record("paid", "ada", NOON + 9 * DAY)])
    undo(line)
    events = Event.objects.filter(event="paid")
    assert {event.distinct_id: event.person for event in events} == {
        "anon": person_with("anon"),
        "ada": person_with("ada"),
    }


def test_a_property_that_changed_since_the_merge_stays(two_people):
    line = merge("ada", "anon")
    set_("ada", browser="Chrome")
    undo(line)
    assert person_with("ada").properties["browser"] == "Chrome"
    assert person_with("anon").properties["browser"] == "Firefox"


def test_a_person_without_profile_before_a_merge_has_none_after_its_undo():
    store([record(distinct_id="ada", profile=False), record(distinct_id="anon")])
    line = merge("ada", "anon")
    assert person_with("ada").has_profile
    undo(line)
    assert (person_with("ada").has_profile, person_with("anon").has_profile) == (False, True)


def test_a_profile_stays_while_another_merge_is_valid():
    store(
        [record("signed_up", distinct_id, profile=False) for distinct_id in ("ada", "ben", "cleo")]
    )
    merge("ada", "ben")
    before = state()
    undo(merge("ada", "cleo"))
    assert (person_with("ada").has_profile, state()) == (True, before)


def test_a_person_excluded_by_the_merge_counts_again_after_the_undo(two_people):
    exclusions.decide([person_with("anon").pk], excluded=True)
    before = state()
    undo(merge("ada", "anon"))
    assert state() == before


def test_a_person_excluded_since_the_merge_stays_excluded(two_people):
    line = merge("ada", "anon")
    exclusions.decide([person_with("ada").pk], excluded=True)
    undo(line)
    assert (person_with("ada").excluded, person_with("anon").excluded) == (True, False)


def test_an_exclusion_rule_applies_to_the_restored_person(two_people):
    line = merge("ada", "anon")
    rule = ExclusionRule(name="Free", property_name="plan", property_value="free")
    assert exclusions.save_rule(rule).excluded == 0
    undo(line)
    assert (person_with("ada").excluded, person_with("anon").excluded) == (False, True)


def test_undoing_twice_is_refused(two_people):
    line = undo(merge("ada", "anon"))
    with pytest.raises(CannotUndo, match="already undone by eve"):
        undo(line)


def test_p05_a_refused_merge_has_nothing_to_undo(two_people):
    store([record("$identify", "anon"), record("$identify", "ada", other_id="anon")])
    with pytest.raises(CannotUndo, match="refused"):
        undo(PersonMerge.objects.get())


def test_a_merge_into_a_person_merged_since_says_what_to_undo_first(two_people):
    store([record("used", "ben")])
    first, second = merge("ada", "anon"), merge("ben", "ada")
    with pytest.raises(CannotUndo, match="since been merged into “ben”") as refused:
        undo(first)
    assert refused.value.undo_first == second
    undo(second)
    undo(first)
    assert Person.objects.count() == 3


def test_a_merge_without_data_for_an_undo_is_not_undone(two_people):
    line = merge("ada", "anon")
    PersonMerge.objects.update(before={})
    with pytest.raises(CannotUndo, match="not stored"):
        undo(line)


def test_merges_within_a_batch_are_undone_separately():
    batch = [
        record("$set", "a", properties={"$set": {"x": 1}}),
        record("$set", "b", properties={"$set": {"x": 2, "y": 2}}),
        record("$set", "c", properties={"$set": {"z": 3}}),
        record("$create_alias", "a", other_id="b"),
        record("$merge_dangerously", "c", other_id="a", proof=Proof.VERIFIED),
    ]
    store(batch)
    for line in PersonMerge.objects.order_by("-pk"):
        undo(line)
    properties = [person_with(distinct_id).properties for distinct_id in "abc"]
    assert properties == [{"x": 1}, {"x": 2, "y": 2}, {"z": 3}]
    assert not Person.objects.filter(is_identified=True).exists()


PEOPLE = ["ada", "ben", "cleo", "anon", "anonymous"]
someone = st.sampled_from(PEOPLE)
hours = st.integers(0, 40 * 24).map(lambda number: NOON + timedelta(hours=number))
plain = st.builds(
    record,
    st.sampled_from(["signed_up", "workflow_created", "used", "used"]),
    someone,
    hours,
    profile=st.booleans(),
)
setting = st.builds(
    lambda distinct_id, at, name, value: record(
        "$set", distinct_id, at, properties={"$set": {name: value}}
    ),
    someone,
    hours,
    st.sampled_from(["plan", "email", "is_staff"]),
    st.sampled_from(["pro", "free", "x@example.com"]),
)
linking = st.builds(
    lambda event, distinct_id, other_id, at, proof: record(
        event, distinct_id, at, other_id=other_id, proof=proof
    ),
    st.sampled_from(["$identify", "$create_alias", "$merge_dangerously"]),
    someone,
    someone,
    hours,
    st.sampled_from([Proof.CLAIMED, Proof.CLAIMED, Proof.VERIFIED, Proof.PROVED]),
)
histories = st.lists(plain | setting | linking, min_size=5, max_size=25)


def some_are_excluded(data) -> None:
    domain = data.draw(st.sampled_from(["example.com", "customer.com"]))
    exclusions.save_rule(ExclusionRule(name=f"{uuid4()}", email_domain=domain))
    for person in Person.objects.order_by("pk"):
        if data.draw(st.integers(0, 3)) == 0:
            exclusions.decide([person.pk], excluded=data.draw(st.booleans()))


@examples(30)
@given(history=histories, data=st.data())
def test_undoing_manual_merges_restores_exactly_the_state_before(history, data):
    with transaction.atomic():
        store(history)
        some_are_excluded(data)
        before = [state()]
        merges = []
        for pair in data.draw(st.lists(st.tuples(someone, someone), max_size=8)):
            try:
                merges.append(merge(*pair))
            except (ValidationError, Person.DoesNotExist):
                continue
            assert rebuild.check() == []
            before.append(state())
        for line in reversed(merges):
            assert state() == before.pop()
            undo(line)
        assert state() == before.pop()
        assert rebuild.check() == []
        transaction.set_rollback(True)


@examples(30)
@given(history=histories, later=histories, data=st.data())
def test_merges_are_undone_in_any_possible_order(history, later, data):
    with transaction.atomic():
        for batch in (history, later):
            store(batch)
            some_are_excluded(data)
            for line in data.draw(st.permutations(list(PersonMerge.objects.order_by("pk")))):
                try:
                    undo(line)
                except CannotUndo:
                    continue
                assert rebuild.check() == []
        person_of = dict(DistinctId.objects.values_list("distinct_id", "person_id"))
        assert all(person_of[event.distinct_id] == event.person_id for event in Event.objects.all())
        transaction.set_rollback(True)

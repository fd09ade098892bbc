"""Merging persons by hand, and what an event that merges excludes."""

import pytest
from django.core.exceptions import ValidationError

from analytics.ingestion.ingest import store
from analytics.models import Counter, Event, Person, PersonDay, PersonMerge
from analytics.people import erasure, exclusions, manual_merging
from analytics.rollups import rebuild
from tests.analytics.merges import known, merge
from tests.events import record

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("the_counters_equal_rebuilt_ones"),
]


def ids(person: Person) -> set[str]:
    return set(person.distinct_ids.values_list("distinct_id", flat=True))


def test_a_manual_merge_moves_ids_events_days_and_properties(two_people):
    merge("ada", "anon")
    ada = known("anon")
    assert (ids(ada), Person.objects.count()) == ({"ada", "anon"}, 1)
    assert ada.properties == {"name": "Ada", "plan": "pro", "browser": "Firefox"}
    assert Event.objects.filter(person=ada).count() == 6
    assert PersonDay.objects.filter(person=ada).count() == 3


def test_a_manual_merge_is_in_the_journal_with_who_did_it(two_people):
    person, other = known("ada"), known("anon")
    line = merge("ada", "anon")
    assert (line.cause, line.event_uuid, line.result) == ("admin: eve", None, "merged")
    assert (line.person_id, line.other_person_id) == (person.pk, other.pk)


def test_a_manual_merge_of_two_identified_persons_is_allowed(two_people):
    store([record("$identify", "ada"), record("$identify", "anon")])
    merge("ada", "anon")
    assert ids(known("ada")) == {"ada", "anon"}


def test_a_merge_with_somebody_excluded_by_hand_excludes(two_people):
    exclusions.decide([known("anon").pk], excluded=True)
    assert manual_merging.preview(known("ada"), "anon").excluded_by_hand
    merge("ada", "anon")
    assert (known("ada").excluded, Counter.objects.filter(value__gt=0).exists()) == (True, False)


@pytest.mark.parametrize(
    ("other_id", "why"),
    [
        (" ", "Name a distinct id"),
        ("nobody", "Nobody is known by"),
        ("ada", "is this person already"),
        ("Anonymous", "a placeholder"),
        ("a\0b", "Nobody is known by"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(two_people, other_id, why):
    store([record("used", "Anonymous")])
    with pytest.raises(ValidationError, match=why):
        manual_merging.preview(known("ada"), other_id)
    with pytest.raises(ValidationError, match=why):
        manual_merging.merge(known("ada").pk, other_id, other_id=1, by="eve")


def test_nobody_is_merged_into_a_person_with_a_placeholder_for_an_id(two_people):
    store([record("used", "Anonymous")])
    with pytest.raises(ValidationError, match="only placeholders"):
        merge("Anonymous", "anon")


def test_a_merge_of_another_person_than_was_looked_at_is_refused(two_people):
    looked_at = known("anon").pk
    store([record("used", "ben")])
    merge("ben", "anon")
    with pytest.raises(ValidationError, match="Look at the preview again"):
        manual_merging.merge(known("ada").pk, "anon", other_id=looked_at, by="eve")


def test_a_preview_says_what_moves_and_which_properties_win(two_people):
    preview = manual_merging.preview(known("ada"), "anon")
    assert (preview.other, preview.distinct_ids) == (known("anon"), ["anon"])
    assert (preview.events, preview.days, preview.shared_days) == (3, 2, 1)
    assert preview.taken_over == {"browser": "Firefox"}
    assert preview.lost == [("plan", "pro", "free")]


@pytest.mark.parametrize("mine", [None, False, True])
@pytest.mark.parametrize("theirs", [None, False, True])
def test_an_event_that_merges_excludes_where_either_was_excluded_by_hand(mine, theirs):
    for distinct_id, decision in (("ada", mine), ("anon", theirs)):
        store([record(distinct_id=distinct_id)])
        person = Person.objects.filter(pk=known(distinct_id).pk)
        person.update(excluded=decision is True, excluded_by_hand=decision)
    rebuild.rebuild()
    store([record("$identify", "ada", other_id="anon")])
    assert known("ada").excluded is (True in (mine, theirs))


def test_erasing_a_person_forgets_the_merges_of_those_who_became_part_of_it(two_people):
    store([record("used", "ben")])
    merge("anon", "ben")
    merge("ada", "anon")
    erasure.erase([known("ada").pk])
    assert not PersonMerge.objects.exists()

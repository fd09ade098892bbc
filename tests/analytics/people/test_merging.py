"""Merging persons by hand, and what an event that merges excludes."""

import pytest
from django.core.exceptions import ValidationError

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import Counter, Event, Person, PersonDay, PersonMerge
from analytics.people import exclusions, manual_merging
from analytics.privacy import erasure
from analytics.rollups import rebuild
from tests.analytics.merges import merge, person_with
from tests.events import record

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("the_counters_equal_rebuilt_ones"),
]


def ids(person: Person) -> set[str]:
    return set(person.distinct_ids.values_list("distinct_id", flat=True))


def test_a_manual_merge_moves_ids_events_days_and_properties(two_people):
    merge("ada", "anon")
    ada = person_with("anon")
    assert (ids(ada), Person.objects.count()) == ({"ada", "anon"}, 1)
    assert ada.properties == {"name": "Ada", "plan": "pro", "browser": "Firefox"}
    assert Event.objects.filter(person=ada).count() == 6
    assert PersonDay.objects.filter(person=ada).count() == 3


def test_a_manual_merge_is_in_the_journal_with_the_user(two_people):
    person, other = person_with("ada"), person_with("anon")
    line = merge("ada", "anon")
    assert (line.cause, line.event_uuid, line.result) == ("admin: eve", None, "merged")
    assert (line.person_id, line.other_person_id) == (person.pk, other.pk)


def test_a_manual_merge_of_two_identified_persons_is_allowed(two_people):
    store([record("$identify", "ada"), record("$identify", "anon")])
    merge("ada", "anon")
    assert ids(person_with("ada")) == {"ada", "anon"}


def test_a_merge_with_a_person_excluded_by_hand_excludes(two_people):
    exclusions.decide([person_with("anon").pk], excluded=True)
    assert manual_merging.preview(person_with("ada"), "anon").excluded_by_hand
    merge("ada", "anon")
    assert (person_with("ada").excluded, Counter.objects.filter(value__gt=0).exists()) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("other_id", "why"),
    [
        (" ", "Enter a distinct id"),
        ("unknown", "No person has the distinct id"),
        ("ada", "already belongs to this person"),
        ("Anonymous", "a placeholder"),
        ("a\0b", "No person has the distinct id"),
    ],
)
def test_an_impossible_merge_is_refused(two_people, other_id, why):
    store([record("used", "Anonymous")])
    with pytest.raises(ValidationError, match=why):
        manual_merging.preview(person_with("ada"), other_id)
    with pytest.raises(ValidationError, match=why):
        manual_merging.merge(person_with("ada").pk, other_id, other_id=1, by="eve")


def test_no_person_is_merged_into_a_person_with_only_placeholder_ids(two_people):
    store([record("used", "Anonymous")])
    with pytest.raises(ValidationError, match="only placeholder ids"):
        merge("Anonymous", "anon")


def test_a_merge_of_another_person_than_previewed_is_refused(two_people):
    looked_at = person_with("anon").pk
    store([record("used", "ben")])
    merge("ben", "anon")
    with pytest.raises(ValidationError, match="Check the preview again"):
        manual_merging.merge(person_with("ada").pk, "anon", other_id=looked_at, by="eve")


def test_a_preview_says_what_moves_and_which_properties_win(two_people):
    preview = manual_merging.preview(person_with("ada"), "anon")
    assert (preview.other, preview.distinct_ids) == (person_with("anon"), ["anon"])
    assert (preview.events, preview.days, preview.shared_days) == (3, 2, 1)
    assert preview.taken_over == {"browser": "Firefox"}
    assert preview.lost == [("plan", "pro", "free")]


@pytest.mark.parametrize("mine", [None, False, True])
@pytest.mark.parametrize("theirs", [None, False, True])
@pytest.mark.parametrize("proof", [Proof.CLAIMED, Proof.VERIFIED, Proof.PROVED])
def test_s10b_only_the_backend_spreads_an_exclusion_by_hand(mine, theirs, proof):
    for distinct_id, decision in (("ada", mine), ("anon", theirs)):
        store([record(distinct_id=distinct_id)])
        person = Person.objects.filter(pk=person_with(distinct_id).pk)
        person.update(excluded=decision is True, excluded_by_hand=decision)
    rebuild.rebuild()
    store([record("$identify", "ada", other_id="anon", proof=proof)])
    assert person_with("ada").excluded is bool(mine or (theirs and proof is Proof.PROVED))
    assert person_with("anon").excluded is bool(mine or theirs)


def test_erasing_a_person_deletes_the_journal_of_persons_merged_into_it(two_people):
    store([record("used", "ben")])
    merge("anon", "ben")
    merge("ada", "anon")
    erasure.erase([person_with("ada").pk])
    assert not PersonMerge.objects.exists()

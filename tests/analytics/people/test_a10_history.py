"""An import of history does not set back what is known of persons and groups today."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.people import timed
from analytics.calculations.people.profile import Profile, ProfileDraft
from analytics.calculations.people.profile_changes import person_changes
from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import DistinctId, Group, Person, PersonMerge
from analytics.people import unmerging
from tests import sdk
from tests.events import NOON, record
from tests.property_tests import examples

DAY = timedelta(days=1)


def event(days, changes, *, imported, proof=Proof.CLAIMED, name="used", distinct_id="ada"):
    """Return an event so many days after noon that changes its person."""
    captured = record(name, distinct_id, NOON + days * DAY, properties=changes, proof=proof)
    return msgspec.structs.replace(captured, line=1 if imported else None)


def live(days, **changes):
    return event(days, {f"${name}": value for name, value in changes.items()}, imported=False)


def old(days, **changes):
    return event(days, {f"${name}": value for name, value in changes.items()}, imported=True)


def properties_after(*events):
    draft = ProfileDraft(Profile())
    for each in events:
        draft.change(person_changes(each), each)
    return draft.profile.properties


def test_a10_an_imported_value_does_not_replace_a_later_one():
    events = [live(9, set={"email": "new@example.com"}), old(0, set={"email": "old@example.com"})]
    assert properties_after(*events) == {"email": "new@example.com"}


def test_a10_it_replaces_an_earlier_one():
    events = [live(0, set={"plan": "free"}), old(9, set={"plan": "pro"})]
    assert properties_after(*events) == {"plan": "pro"}


def test_a10_each_property_has_a_time_of_its_own():
    events = [live(0, set={"plan": "free"}), live(9, set={"city": "Kyiv"})]
    imported = old(5, set={"plan": "pro", "city": "Lviv", "seats": 3})
    assert properties_after(*events, imported) == {"plan": "pro", "city": "Kyiv", "seats": 3}


def test_a10_the_time_is_that_of_the_last_event_even_if_the_value_stayed():
    events = [live(0, set={"plan": "pro"}), live(9, set={"plan": "pro"})]
    assert properties_after(*events, old(5, set={"plan": "free"})) == {"plan": "pro"}


def test_a10_captured_events_still_apply_in_order_of_arrival():
    events = [live(9, set={"plan": "pro"}), live(0, set={"plan": "free"})]
    assert properties_after(*events) == {"plan": "free"}


def test_a10_an_imported_value_does_not_return_what_was_removed_since():
    events = [live(0, set={"plan": "pro"}), live(9, unset=["plan"])]
    assert properties_after(*events, old(5, set={"plan": "team"})) == {}
    assert properties_after(*events, old(10, set={"plan": "team"})) == {"plan": "team"}


def test_a10_an_imported_removal_does_not_remove_a_later_value():
    assert properties_after(live(9, set={"plan": "pro"}), old(5, unset=["plan"])) == {"plan": "pro"}
    assert properties_after(live(0, set={"plan": "pro"}), old(5, unset=["plan"])) == {}


def test_a10_of_values_that_are_set_once_the_earliest_stays():
    events = [live(9, set_once={"$initial_url": "/today"}), old(0, set_once={"$initial_url": "/"})]
    assert properties_after(*events) == {"$initial_url": "/"}
    later = old(10, set_once={"$initial_url": "/later"})
    assert properties_after(*events, later) == {"$initial_url": "/"}


def test_a10_a_value_of_unknown_time_stays():
    draft = ProfileDraft(Profile(properties={"plan": "pro"}))
    imported = old(5, set={"plan": "free", "seats": 3})
    draft.change(person_changes(imported), imported)
    assert draft.profile.properties == {"plan": "pro", "seats": 3}


def test_a10_history_in_any_order_gives_the_same():
    events = [
        old(1, set={"plan": "free"}, set_once={"$initial_url": "/"}),
        old(2, set={"plan": "team", "city": "Kyiv"}),
        old(3, set_once={"plan": "none", "$initial_url": "/later"}),
        old(4, unset=["city"]),
        old(5, set={"plan": "pro"}),
    ]
    outcomes = [properties_after(*each) for each in permutations(events)]
    assert outcomes == [{"plan": "pro", "$initial_url": "/"}] * len(outcomes)


def test_a10_removals_of_any_number_of_names_stay_bounded():
    names = [f"name {number}" for number in range(3 * timed.MAX_REMOVED)]
    draft = ProfileDraft(Profile())
    for day, name in enumerate([*names, "x" * 60_000]):
        draft.change(person_changes(removal := live(day, unset=[name])), removal)
    assert list(draft.profile.set_at) == names[-timed.MAX_REMOVED :]


@pytest.mark.django_db
def test_a10_an_import_keeps_todays_properties_in_the_database():
    store([live(9, set={"email": "new@example.com"})])
    store([old(0, set={"email": "old@example.com", "plan": "pro"})])
    assert Person.objects.get().properties == {"email": "new@example.com", "plan": "pro"}


@pytest.mark.django_db
def test_a10_proved_history_does_not_set_back_what_is_proved_today():
    proved = {"proof": Proof.PROVED}
    store([event(9, {"$set": {"plan": "pro"}}, imported=False, **proved)])
    store([event(0, {"$set": {"plan": "free", "seats": 3}}, imported=True, **proved)])
    assert Person.objects.get().proved == {"plan": "pro", "seats": 3}


@pytest.mark.django_db
def test_a10_claimed_history_competes_with_claims_only():
    store([event(0, {"$set": {"plan": "pro"}}, imported=False, proof=Proof.PROVED)])
    store([live(5, set={"plan": "team"}), old(3, set={"plan": "free"})])
    person = Person.objects.get()
    assert (person.properties, person.claimed) == ({"plan": "pro"}, {"plan": "team"})


@pytest.mark.django_db
def test_a10_history_does_not_set_back_a_customer_group():
    def group(days, imported, **properties):
        company = {"$group_type": "company", "$group_key": "acme", "$group_set": properties}
        return event(days, company, imported=imported, name="$groupidentify")

    store([group(9, False, plan="pro")])
    store([group(0, True, plan="free", seats=3)])
    assert Group.objects.get().properties == {"plan": "pro", "seats": 3}


def sent(*plans, **fields):
    """Send a body with an event for each day and plan that it sets, and these other fields."""
    batch = [
        {
            "event": "used",
            "distinct_id": "ada",
            "timestamp": (NOON + days * DAY).isoformat(),
            "properties": {"$set": {"plan": plan}},
        }
        for days, plan in plans
    ]
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": batch, **fields})
    sdk.ingest()
    return Person.objects.get().properties["plan"]


@pytest.mark.django_db
@pytest.mark.parametrize("says_so", [True, "true", 1])
def test_a10_an_sdk_that_migrates_history_does_not_set_back_today(says_so):
    sent((9, "pro"))
    assert sent((0, "free"), historical_migration=says_so) == "pro"
    assert sent((10, "team"), historical_migration=says_so) == "team"


@pytest.mark.django_db
@pytest.mark.parametrize("says_not", [{}, {"historical_migration": False}])
def test_a10_other_events_of_an_sdk_apply_in_order_of_arrival(says_not):
    sent((9, "pro"))
    assert sent((0, "free"), **says_not) == "free"


@pytest.mark.django_db
def test_a10_a_merge_brings_the_times_and_undoing_it_takes_them_away():
    store([live(1, set={"city": "Kyiv"})])
    store([event(9, {"$set": {"plan": "pro"}}, imported=False, distinct_id="anon")])
    alias = record("$create_alias", "ada", NOON, properties={"alias": "anon"}, other_id="anon")
    store([alias])
    store([old(5, set={"plan": "free", "city": "Lviv"})])
    person = Person.objects.get()
    assert person.properties == {"plan": "pro", "city": "Lviv"}
    unmerging.undo(PersonMerge.objects.get().pk, by="ada", now=NOON)
    assert set(Person.objects.get(pk=person.pk).set_at) == {"city"}
    other = DistinctId.objects.get(pk="anon").person
    assert (other.properties, set(other.set_at)) == ({"plan": "pro"}, {"plan"})


NAMES = st.sampled_from("ab")
VALUES = st.dictionaries(NAMES, st.integers(0, 2), max_size=2)
EVENTS = st.builds(
    event,
    st.integers(0, 5),
    st.fixed_dictionaries(
        {}, optional={"$set": VALUES, "$set_once": VALUES, "$unset": st.lists(NAMES, max_size=1)}
    ),
    imported=st.booleans(),
    proof=st.sampled_from([Proof.CLAIMED, Proof.PROVED]),
    distinct_id=st.sampled_from(["ada", "ben"]),
)


def stored(*batches):
    Person.objects.all().delete()
    DistinctId.objects.all().delete()
    for batch in batches:
        store([msgspec.structs.replace(each, uuid=record().uuid) for each in batch])
    return {
        row.distinct_id: [
            getattr(row.person, name) for name in ("properties", *Profile.__struct_fields__[1:])
        ]
        for row in DistinctId.objects.select_related("person")
    }


@pytest.mark.django_db
@examples(200)
@given(events=st.lists(EVENTS, min_size=2, max_size=8), cut=st.integers(1, 7))
def test_a10_batches_of_any_cut_equal_event_by_event(events, cut):
    one_by_one = stored(*([each] for each in events))
    assert stored(events) == one_by_one
    assert stored(events[:cut], events[cut:]) == one_by_one


def send_batch(*events):
    """Send events with these times and properties in one request, in this order."""
    batch = [
        {"event": name, "distinct_id": "ada", "timestamp": f"2024-05-0{day}T12:00:00Z"}
        | {"properties": properties}
        for name, day, properties in events
    ]
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": batch})
    sdk.ingest()


@pytest.mark.django_db
def test_a10_in_a_batch_with_its_newest_event_first_the_newest_value_stays():
    days = [("$set", day, {"$set": {"plan": f"plan {day}"}}) for day in (3, 2, 1)]
    send_batch(("used", 4, {}), *days)
    assert Person.objects.get().properties == {"plan": "plan 3"}


@pytest.mark.django_db
def test_a10_in_a_batch_with_its_newest_event_first_the_first_value_is_set_once():
    send_batch(*(("$set", day, {"$set_once": {"source": f"ad {day}"}}) for day in (3, 2, 1)))
    assert Person.objects.get().properties == {"source": "ad 1"}


@pytest.mark.django_db
def test_a10_groups_in_a_batch_with_its_newest_event_first_keep_the_newest_value():
    company = {"$group_type": "company", "$group_key": "acme"}
    days = (("$groupidentify", day, company | {"$group_set": {"seats": day}}) for day in (3, 1))
    send_batch(*days)
    assert Group.objects.get().properties == {"seats": 3}


@pytest.mark.django_db
def test_a10_batches_still_apply_in_order_of_arrival():
    send_batch(("$set", 3, {"$set": {"plan": "pro"}}))
    send_batch(("$set", 1, {"$set": {"plan": "free"}}))
    assert Person.objects.get().properties == {"plan": "free"}

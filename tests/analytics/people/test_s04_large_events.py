"""S04: readers of a property of many events do not read all properties of large ones."""

import pytest

from analytics.ingestion.ingest import store
from analytics.models import Event
from analytics.people import persons, splitting
from tests.events import record

pytestmark = pytest.mark.django_db


def only_short(**properties):
    """Store a large event of ada; return her as if only its short properties were left."""
    store([record(properties={"text": "x" * 100_000} | properties)])
    Event.objects.update(properties={})
    return persons.find_person("ada")


def test_groups():
    (membership,) = persons.groups_of(only_short(**{"$groups": {"company": "acme"}}))
    assert (membership.group_type, membership.key) == ("company", "acme")


@pytest.mark.parametrize("profile", [True, False])
def test_whether_an_event_gave_a_profile(profile):
    person = only_short(**{"$process_person_profile": profile})
    assert splitting.has_profile(person.pk) is profile


def test_a_small_event_is_stored_once():
    store([record(properties={"text": "x" * 8_000})])
    assert Event.objects.get().short_properties is None

import pytest

from analytics.ingestion.ingest import store
from analytics.models import Counter, DistinctId, Event, EventDay, EventUuid, Person, PersonDay
from analytics.privacy import erasure
from analytics.rollups import rebuild
from tests.events import record

pytestmark = pytest.mark.django_db


def test_erasing_a_person_leaves_no_trace_and_correct_counters():
    store([record("signed_up"), record(), record("signed_up", "ben")])
    ada = Person.objects.get(distinct_ids="ada")
    assert erasure.erase([ada.pk]).removed["Events"] == 2
    for model in (Event, EventUuid, DistinctId, Person, PersonDay):
        assert model.objects.count() == 1
    assert rebuild.check() == []


def test_erasing_all_persons_leaves_every_counter_at_zero():
    store([record("signed_up"), record("workflow_created")])
    erasure.erase(list(Person.objects.values_list("pk", flat=True)))
    assert not Counter.objects.exclude(value=0).exists()
    assert not EventDay.objects.exclude(value=0).exists()


def test_erasing_the_demo_keeps_all_other_persons():
    store([record(distinct_id="demo")], is_demo=True)
    store([record(distinct_id="real")])
    assert erasure.erase_demo() == 1
    assert DistinctId.objects.get().distinct_id == "real"

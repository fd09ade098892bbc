import pytest
from django.contrib.auth.models import User

from analytics.capture import erased_ids
from analytics.ingestion.ingest import store
from analytics.models import (
    Counter,
    DistinctId,
    Event,
    EventDay,
    EventUuid,
    Group,
    Person,
    PersonDay,
    PersonMerge,
)
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


def send_property(distinct_id, **properties):
    store([record("used", distinct_id, properties={"$set": properties})])
    return Person.objects.get(distinct_ids=distinct_id)


def test_s08_a_claimed_property_does_not_erase_the_ids_of_others():
    store([record("used", "victim-77")])
    mallory = send_property("mallory", distinct_ids=["victim-77"], name="Mallory")
    erasure.erase([mallory.pk])
    assert erased_ids.among(["victim-77", "mallory"]) == {"mallory"}


@pytest.mark.parametrize("owner", ["person", "id", "staff"])
def test_s08_a_claimed_address_of_others_is_not_searched_for(owner):
    address = "victim@example.com"
    if owner == "staff":
        User.objects.create_user("eve", email="Victim@example.com")
    else:
        store([record("used", address if owner == "id" else "victim")])
    if owner == "person":
        send_property("victim", email=address)
    group = Group.objects.create(group_type="company", group_key="x", properties={"a": address})
    erasure.erase([send_property("mallory", email=address).pk])
    group.refresh_from_db()
    assert group.properties == {"a": address}


def test_s08_a_merged_person_and_its_ids_are_erased():
    store([record(distinct_id="anon-merged"), record(distinct_id="ada-merged")])
    store([record("$identify", "ada-merged", other_id="anon-merged")])
    erasure.erase([Person.objects.get().pk])
    assert erased_ids.among(["ada-merged", "anon-merged"]) == {"ada-merged", "anon-merged"}
    assert not PersonMerge.objects.exists()


def test_s08_a_refused_merge_that_names_the_id_is_removed():
    store([record("$identify", "ada-refused"), record("$identify", "ben-refused")])
    store([record("$create_alias", "ben-refused", other_id="ada-refused")])
    store([record("$create_alias", "ben-refused", other_id="anonymous")])
    erasure.erase([Person.objects.get(distinct_ids="ada-refused").pk])
    assert PersonMerge.objects.get().other_id == "anonymous"

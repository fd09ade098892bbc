"""Find persons, and merge them by hand."""

from analytics.ingestion.ingest import store
from analytics.models import Person, PersonMerge
from analytics.people import manual_merging
from tests.events import record


def person_with(distinct_id: str) -> Person:
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def set_(distinct_id: str, **properties) -> None:
    store([record("$set", distinct_id, properties={"$set": properties})])


def merge(distinct_id: str, other_id: str) -> PersonMerge:
    other = person_with(other_id)
    return manual_merging.merge(person_with(distinct_id).pk, other_id, other_id=other.pk, by="eve")

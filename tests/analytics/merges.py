"""Merge persons by hand, and find them."""

from analytics.ingestion.ingest import store
from analytics.models import Person, PersonMerge
from analytics.people import manual_merging
from tests.events import record


def known(distinct_id: str) -> Person:
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def set_(distinct_id: str, **properties) -> None:
    store([record("$set", distinct_id, properties={"$set": properties})])


def merge(distinct_id: str, other_id: str) -> PersonMerge:
    other = known(other_id)
    return manual_merging.merge(known(distinct_id).pk, other_id, other_id=other.pk, by="eve")

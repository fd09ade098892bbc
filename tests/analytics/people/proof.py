"""Make what is stored about persons proved, for tests of what reads it."""

from analytics.models import DistinctId, Person


def person_with(distinct_id: str) -> Person:
    return Person.objects.get(distinct_ids__distinct_id=distinct_id)


def prove(distinct_id: str, **properties) -> Person:
    """Prove a distinct id, and these values of the person's properties."""
    DistinctId.objects.filter(pk=distinct_id).update(proved=True)
    person = person_with(distinct_id)
    person.proved |= properties
    person.properties |= person.proved
    person.save(update_fields=["proved", "properties"])
    return person

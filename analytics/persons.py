"""Persons: finding them, and what is known of one."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Min, Q, QuerySet

from analytics import definitions
from analytics.models import DistinctId, Person, PersonDay


@dataclass(frozen=True, slots=True)
class Activity:
    """The days on which a person was active, in the time zone in force."""

    active_days: int
    first_active_day: date | None
    last_active_day: date | None


def find_person(distinct_id: str) -> Person | None:
    """Return the person known by a distinct id."""
    if "\0" in distinct_id:  # PostgreSQL's texts cannot hold it, so nobody is known by it
        return None
    return Person.objects.filter(distinct_ids__distinct_id=distinct_id).first()


def activity(person: Person) -> Activity:
    return Activity(
        **PersonDay.objects.filter(person=person).aggregate(
            active_days=Count("day"), first_active_day=Min("day"), last_active_day=Max("day")
        )
    )


def find_persons(
    *,
    search: str = "",
    signed_up_from: date | None = None,
    signed_up_to: date | None = None,
    activated: bool | None = None,
) -> QuerySet[Person]:
    """Return persons, the newest known first, excluded ones included.

    `search` is the beginning of a distinct id, or an e-mail address; the days are local ones.
    """
    found = Person.objects.order_by("-pk")
    if search:
        found = found.filter(pk__in=matching(search))
    if signed_up_from or signed_up_to:
        start, end = definitions.calendar().span(signed_up_from, signed_up_to)
        found = found.filter(signup_at__gte=start, signup_at__lt=end)
    if activated is not None:
        found = found.filter(activated_at__isnull=not activated)
    return found


def matching(search: str) -> QuerySet:
    """Return the ids of the persons that a search finds, each half through its own index."""
    by_id = DistinctId.objects.filter(distinct_id__startswith=search).values_list("person_id")
    by_email = Person.objects.filter(
        Q(properties__contains={"email": search})
        | Q(properties__contains={"email": search.lower()})
    ).values_list("pk")
    return by_id.union(by_email)

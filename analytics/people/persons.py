"""Find persons, and read their activity, groups and merges."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from analytics.models import DistinctId, Person, PersonDay, PersonMerge
from analytics.models.event import READABLE_PROPERTIES
from analytics.rollups import definitions
from common.calculations.mailbox import lower_ascii, spellings
from common.postgres import LowerAscii

EVENTS_READ_FOR_GROUPS = 1_000  # the latest, so that every person's page costs the same


@dataclass(frozen=True, slots=True)
class PersonActivity:
    """The days on which a person was active, in the time zone in force."""

    active_days: int
    first_active_day: date | None
    last_active_day: date | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that a person's events name; `group_id` is None where no properties were sent."""

    group_type: str
    key: str
    group_id: int | None


@dataclass(frozen=True, slots=True)
class PersonProperty:
    """A property in effect. `claim` contradicts a proved value, where `is_contradicted`."""

    name: str
    value: Any
    is_proved: bool
    is_contradicted: bool
    claim: Any


def properties_of(person: Person) -> list[PersonProperty]:
    """Return a person's properties, with what is proved and what contradicts it."""
    return [
        PersonProperty(
            name=name,
            value=value,
            is_proved=name in person.proved,
            is_contradicted=name in person.claimed,
            claim=person.claimed.get(name),
        )
        for name, value in person.properties.items()
    ]


def any_persons() -> bool:
    """Return whether there is any person, excluded or not."""
    return Person.objects.exists()


def count_demo_persons() -> int:
    """Return how many persons the demo created."""
    return Person.objects.filter(is_demo=True).count()


def find_person(distinct_id: str) -> Person | None:
    """Return the person with a distinct id."""
    if "\0" in distinct_id:  # PostgreSQL's texts cannot hold it, so no person has it
        return None
    return Person.objects.filter(distinct_ids__distinct_id=distinct_id).first()


def ids_of(distinct_ids: Collection[str]) -> dict[str, int]:
    """Return the person's number of each of the distinct ids that has a person."""
    valid = [id_ for id_ in distinct_ids if "\0" not in id_]
    rows = DistinctId.objects.filter(pk__in=valid)
    return dict(rows.values_list("pk", "person_id"))


def stored_distinct_id(distinct_id: str) -> DistinctId:
    """Return a stored distinct id; raise `DistinctId.DoesNotExist` if no person has it."""
    return DistinctId.objects.get(pk=distinct_id)


def person_with_id(person_id: int) -> Person | None:
    return Person.objects.filter(pk=person_id).first()


def person_with_proved_email(email: str) -> Person | None:
    """Return the only person with a proved address, in any case; None for none or several."""
    address = LowerAscii(KeyTextTransform("email", "proved"))
    persons = Person.objects.alias(address=address).filter(address=lower_ascii(email))[:2]
    return persons[0] if len(persons) == 1 else None


def persons_with_email(email: str, *, at_most: int) -> list[Person]:
    """Return persons with an e-mail address, in any case, proved or only claimed."""
    address = LowerAscii(KeyTextTransform("email", "properties"))
    return list(Person.objects.alias(address=address).filter(address=lower_ascii(email))[:at_most])


def own_addresses(person_ids: Collection[int], *, proved: bool) -> set[str]:
    """Return the persons' e-mail addresses, in lower case, that no other person has.

    With `proved` only proved ones, otherwise those in effect. Of another person the address may
    have another spelling of the domain.
    """
    column = "proved" if proved else "properties"
    address = LowerAscii(KeyTextTransform("email", column))
    own = Person.objects.filter(pk__in=person_ids).annotate(address=address)
    addresses = {text for text in own.values_list("address", flat=True) if text}
    in_effect = LowerAscii(KeyTextTransform("email", "properties"))
    others = Person.objects.exclude(pk__in=person_ids).annotate(address=in_effect)
    spellings_of = {text: spellings(text) for text in addresses}
    others = others.filter(address__in=set().union(*spellings_of.values()))
    shared = set(others.values_list("address", flat=True))
    return {text for text, same in spellings_of.items() if shared.isdisjoint(same)}


def first_distinct_id(person_id: int) -> str | None:
    """Return the distinct id under which other apps record events of a person: a proved one first.

    An id that is only claimed to belong to the person may turn out to belong to another person.
    """
    rows = DistinctId.objects.filter(person_id=person_id).order_by("-proved", "pk")
    return rows.values_list("pk", flat=True).first()


def proved_distinct_id(person_id: int) -> str | None:
    """Return a proved distinct id of a person, None if all of them are only claimed."""
    rows = DistinctId.objects.filter(person_id=person_id, proved=True).order_by("pk")
    return rows.values_list("pk", flat=True).first()


def was_split_since(moment: datetime, person: Person) -> bool:
    """Whether a merge of the person with another was undone at or after a moment."""
    merges = PersonMerge.objects.filter(undone_at__gte=moment)
    return merges.filter(Q(person_id=person.pk) | Q(other_person_id=person.pk)).exists()


def split_since(moment: datetime) -> list[tuple[Person, datetime]]:
    """Return the persons whose merge was undone at or after a moment, with when."""
    merges = PersonMerge.objects.filter(undone_at__gte=moment).order_by("undone_at")
    undone = {
        person_id: at
        for *both, at in merges.values_list("person_id", "other_person_id", "undone_at")
        for person_id in both
        if at is not None
    }
    still_there = Person.objects.in_bulk([person_id for person_id in undone if person_id])
    return [(person, undone[person_id]) for person_id, person in still_there.items()]


def counted_persons(person_ids: Collection[int]) -> dict[int, Person]:
    """Return those of the persons who are not excluded, by id."""
    return Person.objects.filter(excluded=False).in_bulk(person_ids)


def exclusions_and_signups(
    person_ids: Collection[int],
) -> dict[int, tuple[bool, datetime | None]]:
    """Return whether each person is excluded, and when they signed up, by id."""
    rows = Person.objects.filter(pk__in=person_ids)
    return {
        person_id: (excluded, signup_at)
        for person_id, excluded, signup_at in rows.values_list("pk", "excluded", "signup_at")
    }


def activity(person: Person) -> PersonActivity:
    return PersonActivity(
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
    """Return persons, newest first, including excluded ones.

    `search` is the beginning of a distinct id, or an e-mail address; without it, persons without a
    profile are omitted. The days are local ones.
    """
    persons = Person.objects.order_by("-pk")
    persons = (
        persons.filter(pk__in=matching(search)) if search else persons.filter(has_profile=True)
    )
    if signed_up_from or signed_up_to:
        start, end = definitions.calendar().span(signed_up_from, signed_up_to)
        persons = persons.filter(signup_at__gte=start, signup_at__lt=end)
    if activated is not None:
        persons = persons.filter(activated_at__isnull=not activated)
    return persons


def matching(search: str) -> QuerySet:
    """Return the ids of the persons that match a search; each half uses its own index."""
    by_id = DistinctId.objects.filter(distinct_id__startswith=search).values_list("person_id")
    email = LowerAscii(KeyTextTransform("email", "properties"))
    by_email = (
        Person.objects.alias(by_email=email).filter(by_email=lower_ascii(search)).values_list("pk")
    )
    return by_id.union(by_email)


def groups_of(person: Person) -> list[Membership]:
    """Return the groups that the person's latest events name, by type and key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT named.key, named.value, stored.id
            FROM (SELECT {READABLE_PROPERTIES} -> '$groups' AS groups FROM analytics_event
                  WHERE person_id = %s ORDER BY timestamp DESC LIMIT %s) AS latest
            CROSS JOIN jsonb_each_text(
                CASE jsonb_typeof(groups) WHEN 'object' THEN groups ELSE '{{}}' END
            ) AS named
            LEFT JOIN analytics_group AS stored ON (group_type, group_key) = (key, value)
            WHERE named.value IS NOT NULL ORDER BY 1, 2
            """,
            [person.pk, EVENTS_READ_FOR_GROUPS],
        )
        return [Membership(*row) for row in cursor.fetchall()]


def merges_of(person: Person) -> QuerySet[PersonMerge]:
    """Return the journal's lines about a person, newest first."""
    return PersonMerge.objects.filter(
        Q(person_id=person.pk) | Q(other_person_id=person.pk)
    ).order_by("-pk")

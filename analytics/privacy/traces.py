"""Everything by which persons can be recognized in stored data, read before they are erased."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from analytics.calculations.people.mentions import Mentions, mentions_of
from analytics.calculations.people.merge import Before
from analytics.extension_points import personal_facts
from analytics.models import DistinctId, Person, PersonMerge
from common.postgres import raw_cursor

# Persons that were merged into these, and the data kept for undoing it.
_MERGED = """
WITH RECURSIVE part AS (
    SELECT unnest(%s::bigint[]) AS id
    UNION
    SELECT other_person_id FROM analytics_personmerge JOIN part ON person_id = part.id
    WHERE result = 'merged'
)
SELECT id FROM part WHERE id IS NOT NULL
"""


@dataclass(frozen=True)
class Traces:
    """Persons, with those that were merged into them, and the texts that name them."""

    person_ids: Sequence[int]
    merged_ids: Sequence[int]  # the persons themselves, and those that are part of them
    distinct_ids: Sequence[str]
    mentions: Mentions
    shared_emails: Sequence[str] = ()  # others have them, too: not searched for


def traces_of(person_ids: Collection[int]) -> Traces:
    """Return the traces of persons, as far as they are stored here."""
    ids = sorted(person_ids)
    with raw_cursor() as cursor:
        merged = [row for (row,) in cursor.execute(_MERGED, [ids]).fetchall()]
    undo_data = _undo_data(merged)
    distinct_ids = set(DistinctId.objects.filter(person__in=ids).values_list("pk", flat=True))
    distinct_ids.update(id_ for before in undo_data for id_ in before.distinct_ids)
    others = [before.other.properties for before in undo_data]
    mentions = mentions_of(distinct_ids, [*_facts(ids), *others])
    shared = _shared(mentions.emails, ids)
    return Traces(
        person_ids=ids,
        merged_ids=merged,
        distinct_ids=sorted(distinct_ids),
        mentions=replace(mentions, emails=mentions.emails - shared),
        shared_emails=sorted(shared),
    )


def same_address(traces: Traces) -> list[Person]:
    """Return the other persons with an e-mail address of these."""
    address = Lower(KeyTextTransform("email", "properties"))
    persons = Person.objects.alias(address=address).filter(address__in=traces.shared_emails)
    return list(persons.exclude(pk__in=traces.person_ids).prefetch_related("distinct_ids"))


def _undo_data(merged: Sequence[int]) -> list[Before]:
    """Return what the journal keeps of persons that are part of these."""
    merges = PersonMerge.objects.filter(
        person_id__in=merged, result=PersonMerge.Result.MERGED
    ).exclude(before={})
    return msgspec.convert(list(merges.values_list("before", flat=True)), list[Before])


def _facts(ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield JSON objects in which the persons' addresses and names are."""
    rows = Person.objects.filter(pk__in=ids).values_list("properties", "proved", "claimed")
    for columns in rows.iterator():
        yield from columns
    for facts_of in personal_facts:
        yield from facts_of(ids)


def _shared(emails: Collection[str], ids: Sequence[int]) -> frozenset[str]:
    """Return those of the addresses that other persons or staff have, too.

    An address may be only claimed: erasing must not reach what belongs to others.
    """
    address = Lower(KeyTextTransform("email", "properties"))
    others = Person.objects.exclude(pk__in=ids).annotate(address=address)
    shared = set(others.filter(address__in=emails).values_list("address", flat=True))
    ids_of_others = DistinctId.objects.filter(pk__in=emails).exclude(person__in=ids)
    shared.update(ids_of_others.values_list("pk", flat=True))
    staff = get_user_model().objects.annotate(address=Lower("email"))
    shared.update(staff.filter(address__in=emails).values_list("address", flat=True))
    return frozenset(shared)

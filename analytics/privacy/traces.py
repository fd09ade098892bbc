"""Everything by which persons can be recognized in stored data, read before they are erased."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from analytics.calculations.people.mentions import Mentions, mentions_of
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
    shared_emails: Sequence[str] = ()  # other persons have them, too: not searched for


def traces_of(person_ids: Collection[int]) -> Traces:
    """Return the traces of persons, as far as they are stored here."""
    ids = sorted(person_ids)
    with raw_cursor() as cursor:
        merged = [row for (row,) in cursor.execute(_MERGED, [ids]).fetchall()]
    distinct_ids = set(DistinctId.objects.filter(person__in=ids).values_list("pk", flat=True))
    facts = list(_facts(ids, merged))
    for fact in facts:
        distinct_ids.update(fact.get("distinct_ids") or ())
    mentions = mentions_of(distinct_ids, facts)
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


def _facts(ids: Sequence[int], merged: Sequence[int]) -> Iterator[dict[str, Any]]:
    rows = Person.objects.filter(pk__in=ids).values_list("properties", "proved", "claimed")
    for columns in rows.iterator():
        yield from columns
    merges = PersonMerge.objects.filter(
        Q(person_id__in=merged) | Q(other_person_id__in=merged), result=PersonMerge.Result.MERGED
    )
    for before in merges.values_list("before", flat=True).iterator():
        yield {"distinct_ids": before.get("distinct_ids")}
        yield (before.get("other") or {}).get("properties") or {}
    for facts_of in personal_facts:
        yield from facts_of(ids)


def _shared(emails: Collection[str], ids: Sequence[int]) -> frozenset[str]:
    """Return those of the addresses that other persons have, too."""
    address = Lower(KeyTextTransform("email", "properties"))
    others = Person.objects.exclude(pk__in=ids).annotate(address=address)
    return frozenset(others.filter(address__in=emails).values_list("address", flat=True))

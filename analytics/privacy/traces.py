"""Everything by which persons can be recognized in stored data, read before they are erased."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db.models.fields.json import KeyTextTransform

from analytics.calculations.people.mentions import Mentions, mentions_of
from analytics.calculations.people.merge import Before
from analytics.extension_points import personal_facts
from analytics.models import DistinctId, Person, PersonMerge
from analytics.privacy.own_ids import own_ids
from common.calculations.mailbox import spellings
from common.postgres import LowerAscii, raw_cursor

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
    """Persons, with those that were merged into them, and the texts that name them.

    `mentions` are proved, and are searched for in the data of others. `claims` have what is only
    claimed, too: they are searched for only in what arrived as a claim, and act on nothing else.
    """

    person_ids: Sequence[int]
    merged_ids: Sequence[int]  # the persons themselves, and those that are part of them
    own_ids: Sequence[str]  # remembered as erased; see OwnIds
    mentions: Mentions
    claims: Mentions
    shared_emails: Sequence[str] = ()  # others have them, too, or only claim them


def traces_of(person_ids: Collection[int]) -> Traces:
    """Return the traces of persons, as far as they are stored here."""
    ids = sorted(person_ids)
    with raw_cursor() as cursor:
        merged = [row for (row,) in cursor.execute(_MERGED, [ids]).fetchall()]
    stored = own_ids(ids)
    mentions = mentions_of(stored.certain, [*_proved_facts(ids), *_proved_before(merged)])
    claims = mentions | mentions_of(stored.every, _claimed_facts(ids))
    every = _shared(claims.emails, ids, layer="properties")
    # A claim does not keep an address that is proved to be theirs from being erased. At Stripe,
    # too, every buyer can enter any.
    own = _proved_emails(ids)
    kept = every - own | _shared(own, ids, layer="proved", proved=True)
    return Traces(
        person_ids=ids,
        merged_ids=merged,
        own_ids=sorted(stored.own),
        mentions=replace(mentions, emails=mentions.emails - kept),
        claims=replace(claims, emails=claims.emails - kept),
        shared_emails=sorted(every),
    )


def same_address(traces: Traces) -> list[Person]:
    """Return the other persons with an e-mail address of these."""
    address = LowerAscii(KeyTextTransform("email", "properties"))
    written = {spelling for email in traces.shared_emails for spelling in spellings(email)}
    persons = Person.objects.alias(address=address).filter(address__in=written)
    return list(persons.exclude(pk__in=traces.person_ids).prefetch_related("distinct_ids"))


def _proved_before(merged: Sequence[int]) -> list[dict[str, Any]]:
    """Return the proved values that the journal keeps of persons that are part of these."""
    merges = PersonMerge.objects.filter(
        person_id__in=merged, result=PersonMerge.Result.MERGED
    ).exclude(before={})
    undo_data = msgspec.convert(list(merges.values_list("before", flat=True)), list[Before])
    return [before.other.proved for before in undo_data]


def _proved_facts(ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield JSON objects in which the persons' proved addresses and names are."""
    yield from Person.objects.filter(pk__in=ids).values_list("proved", flat=True).iterator()
    for facts_of in personal_facts:
        yield from facts_of(ids)


def _claimed_facts(ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the properties of persons of which nothing is proved."""
    persons = Person.objects.filter(pk__in=ids, proved={})
    yield from persons.values_list("properties", flat=True).iterator()


def _proved_emails(ids: Sequence[int]) -> frozenset[str]:
    address = LowerAscii(KeyTextTransform("email", "proved"))
    persons = Person.objects.filter(pk__in=ids).annotate(address=address)
    return frozenset(persons.exclude(address=None).values_list("address", flat=True))


def _shared(
    emails: Collection[str], ids: Sequence[int], *, layer: str, **proof: bool
) -> frozenset[str]:
    """Return those of the addresses that other persons have in a layer or as an id, or staff.

    Both spellings of a domain, in Unicode and in Punycode, are the same address.
    """
    spellings_of = {email: spellings(email) for email in emails}
    written = set().union(*spellings_of.values())
    ids_of_others = DistinctId.objects.filter(pk__in=written, **proof).exclude(person__in=ids)
    address = LowerAscii(KeyTextTransform("email", layer))
    others = Person.objects.exclude(pk__in=ids).annotate(address=address)
    staff = get_user_model().objects.annotate(address=LowerAscii("email"))
    shared = set(ids_of_others.values_list("pk", flat=True)).union(
        others.filter(address__in=written).values_list("address", flat=True),
        staff.filter(address__in=written).values_list("address", flat=True),
    )
    return frozenset(email for email, same in spellings_of.items() if shared & same)

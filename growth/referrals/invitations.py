"""Which referrals count for the viral coefficient: stored, so that reading it joins nothing.

`referred` has the rules. They are applied again, in the same transaction, whenever a referral or
one of its two persons changes.
"""

from collections.abc import Collection, Sequence
from datetime import date

import psycopg
from django.db.models import Q, QuerySet

from analytics.rollups import definitions
from common.postgres import array_literal
from growth.models import Referral
from growth.referrals import referred

_OF_PERSONS = """
WITH ids AS (
    SELECT distinct_id FROM analytics_distinctid
    WHERE person_id = ANY(%s::bigint[]) AND EXISTS (SELECT FROM growth_referral)
)
SELECT distinct_id FROM growth_referral JOIN ids USING (distinct_id)
UNION SELECT referral.distinct_id FROM growth_referral AS referral
JOIN growth_referralcode AS code USING (code) JOIN ids ON ids.distinct_id = code.distinct_id
"""
_STORE = """
UPDATE growth_referral AS stored
SET inviter_signup_at = derived.signed_up_at, is_accepted = derived.is_accepted
FROM unnest(%s::text[], %s::timestamptz[], %s::bool[])
    AS derived (distinct_id, signed_up_at, is_accepted)
WHERE stored.distinct_id = derived.distinct_id
    AND (stored.inviter_signup_at, stored.is_accepted)
        IS DISTINCT FROM (derived.signed_up_at, derived.is_accepted)
"""
_BATCH = 2_000


def update(cursor: psycopg.Cursor, person_ids: Collection[int] | None) -> None:
    """Apply the rules to the referrals of persons, as inviters and as referred; None: to all."""
    if person_ids is None:
        ids = list(Referral.objects.values_list("pk", flat=True))
    else:
        cursor.execute(_OF_PERSONS, [array_literal(person_ids)])
        ids = [distinct_id for (distinct_id,) in cursor.fetchall()]
    for start in range(0, len(ids), _BATCH):
        _update(cursor, ids[start : start + _BATCH])


def _update(cursor: psycopg.Cursor, ids: Sequence[str]) -> None:
    """Apply the rules to some referrals, with one query for all of them.

    A query for each would join all persons each time, for minutes, while PostgreSQL has no
    statistics of tables that have just been filled.
    """
    own = referred.clicked().filter(pk__in=ids)
    signups = dict(own.filter(_is_invited()).values_list("pk", f"{referred.INVITER}__signup_at"))
    accepted = set(own.filter(_is_accepted()).values_list("pk", flat=True))
    signed_up_at = [signups.get(distinct_id) for distinct_id in ids]
    cursor.execute(_STORE, [ids, signed_up_at, [distinct_id in accepted for distinct_id in ids]])


def of_signups(first: date, last: date) -> QuerySet[Referral]:
    """Return the invited people of inviters who signed up from the `first` to the `last` day."""
    start, end = definitions.calendar().span(first, last)
    return Referral.objects.filter(inviter_signup_at__gte=start, inviter_signup_at__lt=end)


def _is_accepted() -> Q:
    return referred.has_signed_up() & referred.in_invite_window("signed_up_at")


def _is_invited() -> Q:
    """Return the condition for who opened a link in time; who accepted opened it, too."""
    return referred.in_invite_window("clicked_at") | _is_accepted()

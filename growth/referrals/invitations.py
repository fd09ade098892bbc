"""Which referrals count for the viral coefficient: stored, so that reading it joins nothing.

`referred` has the rules. They are applied again, in the same transaction, whenever a referral or
one of its two persons changes.
"""

from collections.abc import Collection
from datetime import date

import psycopg
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

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


def update(cursor: psycopg.Cursor, person_ids: Collection[int] | None) -> None:
    """Apply the rules to the referrals of persons, as inviters and as referred; None: to all."""
    rows = Referral.objects.all()
    if person_ids is not None:
        cursor.execute(_OF_PERSONS, [array_literal(person_ids)])
        ids = [distinct_id for (distinct_id,) in cursor.fetchall()]
        if not ids:
            return
        rows = rows.filter(pk__in=ids)
    own = referred.clicked().filter(pk=OuterRef("pk"))
    rows.update(
        inviter_signup_at=Subquery(
            own.filter(_is_invited()).values(f"{referred.INVITER}__signup_at")
        ),
        is_accepted=Exists(own.filter(_is_accepted())),
    )


def of_signups(first: date, last: date) -> QuerySet[Referral]:
    """Return the invited people of inviters who signed up from the `first` to the `last` day."""
    start, end = definitions.calendar().span(first, last)
    return Referral.objects.filter(inviter_signup_at__gte=start, inviter_signup_at__lt=end)


def _is_accepted() -> Q:
    return referred.has_signed_up() & referred.in_invite_window("signed_up_at")


def _is_invited() -> Q:
    """Return the condition for who opened a link in time; who accepted opened it, too."""
    return referred.in_invite_window("clicked_at") | _is_accepted()

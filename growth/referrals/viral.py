"""The viral coefficient: how many people each new person brings."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from analytics.insights import cohorts
from analytics.models import Person
from analytics.rollups import definitions
from growth.models import Referral, ReferralCode
from growth.referrals import referred
from growth.referrals.funnel import persons_of


@dataclass(frozen=True, slots=True)
class Virality:
    """People who signed up from the `first` to the `last` day, and whom they brought.

    `invited` opened a link or signed up with the code within 30 x 24 hours of the inviter's
    signup; `accepted` are those of them who signed up within it.
    """

    inviters: int
    invited: int
    accepted: int


def virality(*, first: date, last: date) -> Virality:
    return Virality(
        inviters=cohorts.signed_up(first, last).count(),
        invited=invited(first=first, last=last).count(),
        accepted=accepted(first=first, last=last).count(),
    )


def accepted(*, first: date, last: date) -> QuerySet[Referral]:
    """Return the referrals of people who signed up within 30 x 24 hours after their inviter."""
    return _with_inviters_of(
        referred.within_invite_window(referred.signed_up(), "signed_up_at"), first, last
    )


def invited(*, first: date, last: date) -> QuerySet[Referral]:
    """Return the same and those who only opened a link; who accepted opened it, too."""
    clicked = referred.within_invite_window(referred.clicked(), "clicked_at")
    either = Q(pk__in=clicked.values("pk"))
    either |= Q(pk__in=accepted(first=first, last=last).values("pk"))
    return _with_inviters_of(referred.clicked().filter(either), first, last)


def accepted_people(*, first: date, last: date) -> QuerySet[Person]:
    return persons_of(accepted(first=first, last=last))


def inviting_people(*, first: date, last: date) -> QuerySet[Person]:
    """Return the people of the cohort who brought someone."""
    rows = accepted(first=first, last=last).values("code__distinct_id__person_id")
    return cohorts.signed_up(first, last).filter(pk__in=rows)


def is_set_up(*, by: date) -> bool:
    """Whether there was a code, or a referral, by the end of a day."""
    _, end = definitions.calendar().span(by, by)
    return _exists_before(end)


def _exists_before(end: datetime) -> bool:
    referrals = Referral.objects.filter(signed_up_at__lt=end)
    return ReferralCode.objects.filter(created_at__lt=end).exists() or referrals.exists()


def _with_inviters_of(referrals: QuerySet[Referral], first: date, last: date) -> QuerySet[Referral]:
    """Return those whose inviter signed up on these days."""
    start, end = definitions.calendar().span(first, last)
    signup = f"{referred.INVITER}__signup_at"
    return referrals.filter(**{f"{signup}__gte": start, f"{signup}__lt": end})

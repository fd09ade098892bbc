"""The viral coefficient: how many people each new person brings."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from analytics.calculations.cells import CounterName
from analytics.insights import cohorts
from analytics.models import Person
from analytics.rollups import counters, definitions
from analytics.rollups.counters import Span
from common.read_once import read_once
from growth.models import Referral, ReferralCode
from growth.referrals import invitations
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


@read_once
def virality(*, first: date, last: date) -> Virality:
    """Return the counts; the inviters are in `inviters_span`."""
    counts = invitations.of_signups(first, last).aggregate(
        invited=Count("pk"), accepted=Count("pk", filter=Q(is_accepted=True))
    )
    (inviters,) = counters.totals([inviters_span(first, last)])
    return Virality(inviters, **counts)


def inviters_span(first: date, last: date) -> Span:
    """Return the counter of the people who signed up on these days."""
    return Span(CounterName.SIGNUP, first, last)


def accepted(*, first: date, last: date) -> QuerySet[Referral]:
    """Return the referrals of people who signed up within 30 x 24 hours after their inviter."""
    return invitations.of_signups(first, last).filter(is_accepted=True)


def accepted_people(*, first: date, last: date) -> QuerySet[Person]:
    return persons_of(accepted(first=first, last=last))


def inviting_people(*, first: date, last: date) -> QuerySet[Person]:
    """Return the people of the cohort who brought someone."""
    rows = accepted(first=first, last=last).values("code__distinct_id__person_id")
    return cohorts.signed_up(first, last).filter(pk__in=rows)


@read_once
def is_set_up(*, by: date) -> bool:
    """Whether there was a code, or a referral, by the end of a day."""
    _, end = definitions.calendar().span(by, by)
    referrals = Referral.objects.filter(signed_up_at__lt=end)
    return ReferralCode.objects.filter(created_at__lt=end).exists() or referrals.exists()

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
from growth.calculations.referral import INVITE_WINDOW
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


@read_once
def virality(*, first: date, last: date) -> Virality:
    """Return the counts; the inviters are in `inviters_span`."""
    counts = _with_inviters_of(first, last).aggregate(
        invited=Count("pk", filter=_is_invited()), accepted=Count("pk", filter=_is_accepted())
    )
    return Virality(sum(counters.totals([inviters_span(first, last)])), **counts)


def inviters_span(first: date, last: date) -> Span:
    """Return the counter of the people who signed up on these days."""
    return Span(CounterName.SIGNUP, first, last)


def accepted(*, first: date, last: date) -> QuerySet[Referral]:
    """Return the referrals of people who signed up within 30 x 24 hours after their inviter."""
    return _with_inviters_of(first, last).filter(_is_accepted())


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


def _is_accepted() -> Q:
    return referred.has_signed_up() & referred.in_invite_window("signed_up_at")


def _is_invited() -> Q:
    """Return the condition for who opened a link in time; who accepted opened it, too."""
    return referred.in_invite_window("clicked_at") | _is_accepted()


def _with_inviters_of(first: date, last: date) -> QuerySet[Referral]:
    """Return the referrals with a moment in the invite window of people of these signup days."""
    start, end = definitions.calendar().span(first, last)
    signup = f"{referred.INVITER}__signup_at"
    latest = end + INVITE_WINDOW
    return referred.clicked().filter(
        # Follows from the inviters' signups; it lets the indexes of the moments limit the rows.
        Q(signed_up_at__gte=start, signed_up_at__lt=latest)
        | Q(clicked_at__gte=start, clicked_at__lt=latest),
        **{f"{signup}__gte": start, f"{signup}__lt": end},
    )

"""From an inviter's link to a paying person: how many people got how far, and who they are."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db.models import Exists, OuterRef, QuerySet

from analytics.models import Person
from analytics.rollups import definitions
from billing.calculations.cash import CashKind
from billing.models import CashEntry, StripeCustomer
from common.calculations.statistics import Rate
from growth.models import Referral, ReferralCode
from growth.referrals import referred


class ReferralStep(StrEnum):
    INVITE = "invite"
    CLICK = "click"
    SIGNUP = "signup"
    ACTIVATION = "activation"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class StepCount:
    """The people of a step; rates are of those who clicked, and of the step before."""

    step: ReferralStep
    persons: int
    from_click: Rate | None
    from_previous: Rate | None


def funnel(*, first: date, last: date) -> list[StepCount]:
    """Count the people who clicked on these days, and how far they have got since.

    Inviters are others than those who clicked, so the first step has no rate.
    """
    counts = {step: people(step, first=first, last=last).count() for step in ReferralStep}
    steps: list[StepCount] = []
    for step, persons in counts.items():
        has_rates = step not in {ReferralStep.INVITE, ReferralStep.CLICK}
        steps.append(
            StepCount(
                step=step,
                persons=persons,
                from_click=Rate(persons, counts[ReferralStep.CLICK]) if has_rates else None,
                from_previous=Rate(persons, steps[-1].persons) if has_rates else None,
            )
        )
    return steps


def people(step: ReferralStep, *, first: date, last: date) -> QuerySet[Person]:
    """Return the people of a step; those of the first have a code by the end of the last day."""
    start, end = definitions.calendar().span(first, last)
    if step is ReferralStep.INVITE:
        codes = ReferralCode.objects.filter(created_at__lt=end)
        return Person.objects.counted().filter(pk__in=codes.values("distinct_id__person_id"))
    rows = referred.clicked() if step is ReferralStep.CLICK else referred.signed_up()
    persons = persons_of(rows.filter(clicked_at__gte=start, clicked_at__lt=end))
    if step in {ReferralStep.ACTIVATION, ReferralStep.PAID}:
        persons = persons.filter(activated_at__isnull=False)
    if step is ReferralStep.PAID:
        persons = persons.filter(Exists(_payments()))
    return persons


def persons_of(referrals: QuerySet[Referral]) -> QuerySet[Person]:
    """Return the referred people."""
    return Person.objects.filter(pk__in=referrals.values("distinct_id__person_id"))


def _payments() -> QuerySet[CashEntry]:
    customers = StripeCustomer.objects.filter(distinct_id__person=OuterRef(OuterRef("pk")))
    return CashEntry.objects.filter(
        customer_id__in=customers.values("pk"), kind=CashKind.PAYMENT, amount__gt=0
    )

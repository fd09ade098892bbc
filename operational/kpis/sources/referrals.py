"""The viral coefficient, from referrals."""

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet

from analytics.insights import cohorts
from analytics.models import Person
from analytics.rollups.counters import Span
from common.formatting import Unit
from growth.referrals import viral
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import (
    Figure,
    Goal,
    Measurement,
    measured_rate,
    measured_ratio,
    no_data,
)
from operational.kpis.sources.base import no_signups_reason, signup_window

AGE = 30  # days until every inviter had the full time to invite
NOT_SET_UP = (
    "No referrals are recorded. Set up a referral program under Growth, Referrals, and give"
    " people their links (docs/referrals.md)."
)


class ViralSource:
    """People whom new people brought within 30 days of their own signup."""

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        first, last = signup_window(as_of, age=AGE)
        counts = viral.virality(first=first, last=last)
        if not counts.invited and not viral.is_set_up(by=as_of):
            return no_data(NOT_SET_UP)
        return measured_ratio(
            counts.accepted,
            counts.inviters,
            window_from=first,
            window_to=last,
            empty_reason=no_signups_reason(first, last),
        )

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return [viral.inviters_span(*signup_window(as_of, age=AGE))]

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        first, last = signup_window(as_of, age=AGE)
        counts = viral.virality(first=first, last=last)
        if not counts.invited and not viral.is_set_up(by=as_of):
            return ()
        window = {"window_from": first, "window_to": last}
        invite = measured_ratio(
            counts.invited,
            counts.inviters,
            empty_reason=no_signups_reason(first, last),
            **window,
        )
        acceptance = measured_rate(
            counts.accepted, counts.invited, empty_reason="No one was invited.", **window
        )
        return (
            Figure("Invited people per new person", Unit.RATIO, invite),
            Figure("Acceptance rate", Unit.RATE, acceptance),
        )

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        first, last = signup_window(as_of, age=AGE)
        match group:
            case KpiGroup.NUMERATOR:
                return viral.accepted_people(first=first, last=last)
            case KpiGroup.DENOMINATOR:
                return cohorts.signed_up(first, last)
        inviting = viral.inviting_people(first=first, last=last)
        return cohorts.signed_up(first, last).exclude(pk__in=inviting)

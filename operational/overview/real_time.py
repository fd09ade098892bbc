"""Real-time metrics: what is happening right now in the product and in billing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.insights import real_time
from analytics.insights.real_time import DAY, RealTimeActivity
from analytics.rollups import definitions
from billing.revenue import cash
from common.calculations.health import Health
from operational.health.system_health import system_health

SUGGESTION_APPLIED = "suggestion_applied"


@dataclass(frozen=True, slots=True)
class RealTime:
    """What is happening now; the last four fields cover the last 24 hours.

    `revenue` is paid invoices less refunds by currency, in minor units.
    """

    now: datetime
    health: Health
    activity: RealTimeActivity
    workflows_created: int
    suggestions_applied: int
    subscriptions_created: int
    revenue: Mapping[str, int]


def real_time_metrics(now: datetime) -> RealTime:
    """Read everything from counters and indexes, at a cost independent of the number of events."""
    activation = definitions.in_force().activation_event
    activity = real_time.activity(now, events=[activation, SUGGESTION_APPLIED])
    return RealTime(
        now=now,
        health=system_health(now).health,
        activity=activity,
        workflows_created=activity.day_events[activation],
        suggestions_applied=activity.day_events[SUGGESTION_APPLIED],
        subscriptions_created=cash.subscriptions_created(start=now - DAY, end=now),
        revenue=cash.revenue(start=now - DAY, end=now),
    )

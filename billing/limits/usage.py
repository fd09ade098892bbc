"""A person's usage of a meter, read from their events.

Events are the truth: merging, erasing, importing late or undoing a merge moves them, and usage
follows, because no copy of it is kept.

Everyone can claim events in a person's name. Of persons with a proved id only proved ones are
usage, unless staff let claims count for the meter.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics import extension_points
from analytics.calculations.event_totals import EventTotal
from analytics.insights import event_totals
from analytics.people.person_sql import with_person
from billing.calculations.plan import Meter, Window
from billing.calculations.stripe_event import PERSON_EVENTS
from billing.calculations.usage import Usage, outstanding

# Created by Plumbline itself, so they are not usage of the product.
WARNING_EVENT, REACHED_EVENT = "usage_limit_warning", "usage_limit_reached"
OWN_EVENTS = tuple(sorted({WARNING_EVENT, REACHED_EVENT} | PERSON_EVENTS))

_OPEN = f"""
SELECT coalesce(sum(amount), 0), max(up_to)
FROM {with_person("billing_usagereservation")}
WHERE person_id = %(person)s AND meter_id = %(meter)s
  AND period_start = %(start)s AND expires_at > %(now)s
"""
_NOTIFIED = f"""
SELECT coalesce(max(threshold), 0)
FROM {with_person("billing_usagenotice")}
WHERE person_id = %(person)s AND meter_id = %(meter)s
  AND period_start = %(start)s AND plan_id = (SELECT id FROM billing_plan WHERE slug = %(plan)s)
"""


def total_of(meter: Meter, window: Window) -> EventTotal:
    """Return the total of events that is a meter's usage in a window."""
    return EventTotal(
        event=meter.event,
        excluded_events=_own_events(),
        aggregation=meter.aggregation,
        property=meter.property,
        start=window.start,
        end=window.end,
        claims_count=meter.claims_count,
    )


def _own_events() -> tuple[str, ...]:
    """Return the events of every app of Plumbline, `OWN_EVENTS` among them."""
    return tuple(sorted(set().union(*extension_points.passive_events)))


def usage_of(
    person_id: int, windows: Mapping[Meter, Window], *, plan: str, now: datetime
) -> dict[str, Usage]:
    """Return a person's usage by meter, with reservations and notified thresholds, in one query."""
    if not windows:
        return {}
    selects: list[str] = []
    values: dict[str, Any] = {"person": person_id, "plan": plan, "now": now}
    for number, (meter, window) in enumerate(windows.items()):
        total = total_of(meter, window)
        own = {"meter": meter.id, "slug": meter.slug, **event_totals.parameters_of(total)}
        select, parameters = _numbered(_select(total), own, number)
        selects.append(select)
        values |= parameters
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), values)
        return {
            slug: Usage(
                used=used,
                ignored=ignored,
                claimed=claimed,
                reserved=outstanding(used, amounts=amounts, up_to=up_to),
                notified=notified,
            )
            for slug, used, ignored, claimed, amounts, up_to, notified in cursor.fetchall()
        }


def _select(total: EventTotal) -> str:
    return f"""
    SELECT %(slug)s, total, ignored, claimed, open.*, notified.*
    FROM ({event_totals.person_total_sql(total)}) AS used,
         ({_OPEN}) AS open, ({_NOTIFIED}) AS notified
    """


def _numbered(
    select: str, parameters: Mapping[str, Any], number: int
) -> tuple[str, dict[str, Any]]:
    """Give the parameters of one select names of their own."""
    for name in parameters:
        select = select.replace(f"%({name})s", f"%({name}_{number})s")
    return select, {f"{name}_{number}": value for name, value in parameters.items()}


def usage_by_person(meter: Meter, window: Window, *, at_least: Decimal | int) -> dict[int, Decimal]:
    """Return the persons who used `at_least` in a window, heaviest user first."""
    return event_totals.totals_by_person(total_of(meter, window), at_least=at_least)


def persons_near(
    meter: Meter, window: Window, *, at_least: Decimal | int, active_since: datetime
) -> set[int]:
    """Return the persons active since then who may have used `at_least` in a part of a window."""
    total = total_of(meter, window)
    return set(event_totals.totals_by_person(total, at_least=at_least, active_since=active_since))

"""Tell a person once, in each period and plan, that 80 or 100 % of a limit is used."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from analytics.calculations.records import EventRecord
from analytics.ingestion import ingest
from analytics.people import persons
from billing.calculations.plan import Meter, Period, Window
from billing.calculations.usage import REACHED, WARNING, Standing, window
from billing.limits import plans, usage, usage_emails, usage_limits
from billing.limits.usage_limits import Account
from billing.models import Plan, UsageNotice
from billing.stripe.person_events import person_event
from common import formatting, queueing
from common.locks import Lock, locked_cursor

ENQUEUED_AT_MOST_EVERY = 60  # seconds, so that a busy person does not fill the queue
LOOKS_BACK = timedelta(hours=25)  # a run that was missed costs nobody a notice


def request(person_id: int, standings: Collection[Standing]) -> None:
    """Have a person told by a worker, where a threshold is passed that they were not told of."""
    if any(standing.crossed > standing.usage.notified for standing in standings):
        queueing.enqueue(
            "billing.tasks.send_usage_notices", person_id, at_most_every=ENQUEUED_AT_MOST_EVERY
        )


def tell(person_id: int, *, now: datetime) -> list[UsageNotice]:
    """Record, and e-mail, what a person has passed and was not told of; return the new notices."""
    notices = _claim(person_id, now=now)
    for notice in notices:
        usage_emails.send(notice, now=now)
    return notices


def _claim(person_id: int, *, now: datetime) -> list[UsageNotice]:
    """Note what is told, once whatever runs, together with its events on the person."""
    if not _passed(person_id, now=now)[1]:
        return []
    with transaction.atomic():
        locked_cursor(Lock.IDENTITY)  # one at a time; nobody is erased
        account, passed = _passed(person_id, now=now)
        distinct_id = persons.first_distinct_id(person_id)
        if account is None or distinct_id is None or not passed:
            return []
        plan = Plan.objects.get(slug=account.plan.slug)
        notices = UsageNotice.objects.bulk_create(
            _notice(standing, distinct_id, plan) for standing in passed
        )
        ingest.store([_event(notice, at=now) for notice in notices])
    return notices


def _passed(person_id: int, *, now: datetime) -> tuple[Account | None, list[Standing]]:
    """Return where a person stands with everything, and with what is to be told."""
    account = usage_limits.account_of_person(person_id, now=now)
    standings = account.standings if account else []  # merged or erased meanwhile
    return account, [one for one in standings if one.crossed > one.usage.notified]


def _notice(standing: Standing, distinct_id: str, plan: Plan) -> UsageNotice:
    return UsageNotice(
        distinct_id_id=distinct_id,
        meter_id=standing.meter.id,
        plan=plan,
        period_start=standing.window.start,
        resets_at=standing.window.end,
        threshold=standing.crossed,
        used=standing.usage.used,
        limit=standing.limit.amount if standing.limit else 0,
    )


def _event(notice: UsageNotice, *, at: datetime) -> EventRecord:
    """Return what is put on the person: never activity, and nobody's usage."""
    properties = {
        "meter": notice.meter.slug,
        "plan": notice.plan.slug,
        "used": formatting.plain(notice.used),
        "limit": notice.limit,
        "resets_at": notice.resets_at,
    }
    reached = notice.threshold == REACHED
    return person_event(
        usage.REACHED_EVENT if reached else usage.WARNING_EVENT,
        notice.distinct_id_id,
        key=["usage-notice", str(notice.pk)],
        at=at,
        properties=properties,
    )


def tell_everybody(*, now: datetime) -> int:
    """Tell whom nobody's request has told, and send what failed; return the new notices.

    Looks at who was active since the last runs and used 80 % of the lowest limit of a meter.
    """
    told = sum(len(tell(person_id, now=now)) for person_id in _near_a_limit(now))
    for notice in usage_emails.waiting():
        usage_emails.send(notice, now=now)
    return told


def _near_a_limit(now: datetime) -> list[int]:
    catalogue = plans.catalogue()
    person_ids: set[int] = set()
    for meter in catalogue.meters:
        limits = [plan.limits[meter.slug] for plan in catalogue.plans if meter.slug in plan.limits]
        amounts = [limit.amount for limit in limits if limit.amount]
        if amounts:
            counted = _longest_window(meter, now)
            at_least = Decimal(min(amounts)) * WARNING / 100
            person_ids |= usage.usage_by_person(
                meter, counted, at_least=at_least, active_since=now - LOOKS_BACK
            ).keys()
    return sorted(person_ids)


def _longest_window(meter: Meter, now: datetime) -> Window:
    """Return a window that holds everybody's own: billing periods last a year at most."""
    if meter.period is Period.BILLING:
        return Window(now - timedelta(days=366), None)
    return window(meter.period, now=now, zone=plans.zone(), billing=None)

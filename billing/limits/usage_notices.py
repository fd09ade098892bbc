"""Notify a person once, in each period and plan, when 80 or 100 % of a limit is used."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from analytics.calculations.records import EventRecord
from analytics.ingestion import ingest
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from analytics.people import persons
from billing.calculations.plan import Meter, MeterPeriod, Window
from billing.calculations.usage import REACHED, WARNING, MeterUsage, window
from billing.limits import plans, usage, usage_emails, usage_limits
from billing.limits.usage_limits import UsageAccount
from billing.models import Plan, UsageNotice
from billing.stripe.person_events import person_event
from common import formatting, queueing
from common.locks import Lock, locked_cursor
from common.postgres import raw_cursor

ENQUEUED_AT_MOST_EVERY = 60  # seconds, so that a busy person does not fill the queue
LOOKS_BACK = timedelta(hours=25)  # so that a missed run loses no notice


def request(person_id: int, meter_usages: Collection[MeterUsage]) -> None:
    """Have a worker notify a person if they passed a threshold without having been notified."""
    if any(meter_usage.crossed > meter_usage.usage.notified for meter_usage in meter_usages):
        queueing.enqueue(
            "billing.tasks.send_usage_notices", person_id, at_most_every=ENQUEUED_AT_MOST_EVERY
        )


def notify(person_id: int, *, now: datetime) -> list[UsageNotice]:
    """Record and e-mail the thresholds a person has newly passed; return the new notices."""
    notices = _claim(person_id, now=now)
    for notice in notices:
        usage_emails.send(notice, now=now)
    return notices


def _claim(person_id: int, *, now: datetime) -> list[UsageNotice]:
    """Record the notices, once for all workers, together with their events on the person."""
    if not _passed(person_id, now=now)[1]:
        return []
    with transaction.atomic():
        lock_and_ensure_partitions(raw_cursor(), [month_of(now)])
        locked_cursor(Lock.IDENTITY)  # one worker at a time, and no one is erased
        account, passed = _passed(person_id, now=now)
        distinct_id = persons.first_distinct_id(person_id)
        if account is None or distinct_id is None or not passed:
            return []
        plan = Plan.objects.get(slug=account.plan.slug)
        notices = UsageNotice.objects.bulk_create(
            _notice(meter_usage, distinct_id, plan) for meter_usage in passed
        )
        ingest.store([_event(notice, at=now) for notice in notices])
    return notices


def _passed(person_id: int, *, now: datetime) -> tuple[UsageAccount | None, list[MeterUsage]]:
    """Return a person's account, and the meters of which they are to be notified."""
    account = usage_limits.account_of_person(person_id, now=now)
    meter_usages = account.meter_usages if account else []  # merged or erased meanwhile
    return account, [row for row in meter_usages if row.crossed > row.usage.notified]


def _notice(meter_usage: MeterUsage, distinct_id: str, plan: Plan) -> UsageNotice:
    return UsageNotice(
        distinct_id_id=distinct_id,
        meter_id=meter_usage.meter.id,
        plan=plan,
        period_start=meter_usage.window.start,
        resets_at=meter_usage.window.end,
        threshold=meter_usage.crossed,
        used=meter_usage.usage.used,
        limit=meter_usage.limit.amount if meter_usage.limit else 0,
    )


def _event(notice: UsageNotice, *, at: datetime) -> EventRecord:
    """Return the event on the person's timeline; it is neither activity nor usage."""
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


def notify_all(*, now: datetime) -> int:
    """Create the notices that no request triggered, and retry failed e-mails.

    Checks everyone who was active since the last runs and used 80 % of a meter's lowest limit.
    Return the number of new notices.
    """
    created = sum(len(notify(person_id, now=now)) for person_id in _near_a_limit(now))
    usage_emails.send_waiting(now=now)
    return created


def _near_a_limit(now: datetime) -> list[int]:
    catalogue = plans.catalogue()
    person_ids: set[int] = set()
    for meter in catalogue.meters:
        limits = [plan.limits[meter.slug] for plan in catalogue.plans if meter.slug in plan.limits]
        amounts = [limit.amount for limit in limits if limit.amount]
        if amounts:
            counted = _longest_window(meter, now)
            at_least = Decimal(min(amounts)) * WARNING / 100
            person_ids |= usage.persons_near(
                meter, counted, at_least=at_least, active_since=now - LOOKS_BACK
            )
    return sorted(person_ids)


def _longest_window(meter: Meter, now: datetime) -> Window:
    """Return a window that contains everyone's own: billing periods last a year at most."""
    if meter.period is MeterPeriod.BILLING:
        return Window(now - timedelta(days=366), None)
    return window(meter.period, now=now, zone=plans.zone(), billing=None)

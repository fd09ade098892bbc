"""Health check of Stripe's events, and the billing e-mails that could not be sent."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet, Value

from billing.models import StripeEvent, UsageNotice
from common.calculations.health import Component, Health
from common.formatting import number, utc_moment

EVENT_PATIENCE = timedelta(minutes=5)


def stripe(now: datetime) -> Iterator[Component]:
    if not settings.STRIPE_SECRET_KEY and not settings.STRIPE_WEBHOOK_SECRETS:
        yield Component("stripe", Health.OFF, "Not set up.")
        return
    waiting = StripeEvent.objects.filter(due_at__isnull=False)
    late = waiting.filter(received_at__lt=now - EVENT_PATIENCE).order_by("received_at")
    newest = StripeEvent.objects.order_by("-received_at")
    times = dict(
        late.values_list(Value("late"), "received_at")[:1].union(
            newest.values_list(Value("newest"), "received_at")[:1], all=True
        )
    )
    if since := times.get("late"):
        yield Component(
            "stripe",
            Health.WARNING,
            f"Events waiting or failing: {number(waiting.count())}.",
            since,
            "See Stripe events in the admin for the reason; a worker must be running.",
        )
        return
    last = times.get("newest")
    detail = f"Last event received {utc_moment(last)}." if last else "No events yet."
    yield Component("stripe", Health.OK, detail)


def failed_usage_notices(_now: datetime) -> QuerySet[UsageNotice, tuple[datetime]]:
    """Return when each usage notice whose e-mail failed was created."""
    failed = UsageNotice.objects.filter(email=UsageNotice.Email.FAILED)
    return failed.values_list("created_at")

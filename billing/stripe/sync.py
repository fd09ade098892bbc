"""Compare all stored Stripe objects with Stripe, and correct them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from billing.calculations.stripe_completion import EXPANDABLE
from billing.calculations.stripe_event import NAMES
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.stripe import applying, customers, gateway, timeline
from billing.stripe import events as stripe_events
from billing.stripe.gateway import StoreOutcome
from billing.stripe.signals import stripe_changed

# Each kind comes after those it refers to.
_KINDS: dict[str, dict[str, Any]] = {
    "product": {},
    "price": {},
    "coupon": {},
    "customer": {},
    "subscription": {"status": "all"},
    "invoice": {},
    "refund": {},
    "dispute": {},
}


@dataclass
class SyncReport:
    """The result of a sync; ids are Stripe's."""

    outcomes: dict[str, Counter[StoreOutcome]] = field(default_factory=dict)
    corrected: list[tuple[str, str]] = field(default_factory=list)  # kind, id
    refused: list[tuple[str, str, str]] = field(default_factory=list)  # kind, id, reason
    missing_at_stripe: list[tuple[str, str]] = field(default_factory=list)  # stored, not at Stripe
    missed_events: int = 0


def sync(progress: Callable[[str], Any] = lambda _: None) -> SyncReport:
    """Read all objects and the events of the last 30 days from Stripe, and correct stored ones.

    `progress` is called with the kind of each object. Raises StripeProblem.
    """
    report, changed, referred = SyncReport(), set[str](), set[str]()
    for kind, filters in _KINDS.items():
        if kind in EXPANDABLE:
            referred |= _sync_kind(kind, filters, report, progress)
        else:
            changed |= _sync_kind(kind, filters, report, progress)
    changed |= _missed_events(report, progress)
    if changed or referred:
        timeline.add_all(changed)
        stripe_changed.send(sender=None, customer_ids=changed, object_ids=referred)
    return report


def _sync_kind(
    kind: str, filters: dict[str, Any], report: SyncReport, progress: Callable[[str], Any]
) -> set[str]:
    """Sync objects of a kind; return the ids of the customers, coupons or prices with changes."""
    outcomes: Counter[StoreOutcome] = Counter()
    changed, seen = set[str](), set[str]()
    as_of = gateway.moment()
    for listed in gateway.every(kind, **filters):
        seen.add(listed["id"])
        progress(kind)
        try:
            stripe_json, change = gateway.keep(listed, as_of=as_of)
        except UnusableStripeObject as error:
            report.refused.append((kind, listed["id"], str(error)))
            continue
        outcomes[change] += 1
        if change == StoreOutcome.CHANGED:
            report.corrected.append((kind, listed["id"]))
        if customers.link_by(stripe_json) or change in {StoreOutcome.NEW, StoreOutcome.CHANGED}:
            changed.add(listed["id"] if kind in EXPANDABLE else gateway.owner_of(stripe_json))
    report.outcomes[kind] = outcomes
    _check_unlisted(gateway.stored_ids(kind) - seen, kind, report)
    return changed - {""}


def _check_unlisted(object_ids: set[str], kind: str, report: SyncReport) -> None:
    """Read objects that Stripe does not list, such as deleted customers."""
    for object_id in sorted(object_ids):
        if gateway.refresh(kind, object_id) is None:
            report.missing_at_stripe.append((kind, object_id))


def _missed_events(report: SyncReport, progress: Callable[[str], Any]) -> set[str]:
    """Apply events that never arrived, oldest first; the objects are already up to date."""
    events = [event for event in gateway.every("event") if event["type"] in NAMES]
    changed = set[str]()
    for event in reversed(events):
        progress("event")
        try:
            received = stripe_events.receive(event)
        except UnusableStripeObject as error:
            report.refused.append(("event", event["id"], str(error)))
            continue
        if received is not None and received.due_at is not None:
            report.missed_events += 1
            applying.apply(received.pk, now=gateway.moment(), read=False, follow=False)
            changed.add(received.customer_id)
    return changed - {""}

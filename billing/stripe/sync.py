"""Compare everything stored of Stripe with Stripe itself, and correct it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from billing.calculations.stripe_event import NAMES
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.stripe import customers, gateway
from billing.stripe import events as stripe_events
from billing.stripe.gateway import StoreOutcome
from billing.stripe.signals import stripe_changed

# What is told first is what the next ones need.
_KINDS: dict[str, dict[str, Any]] = {
    "product": {},
    "price": {},
    "coupon": {},
    "customer": {},
    "subscription": {"status": "all"},
    "invoice": {},
    "refund": {},
}


@dataclass
class SyncReport:
    """What a sync found, by kind; ids are those of Stripe."""

    found: dict[str, Counter[StoreOutcome]] = field(default_factory=dict)
    corrected: list[tuple[str, str]] = field(default_factory=list)  # kind, id
    refused: list[tuple[str, str, str]] = field(default_factory=list)  # kind, id, reason
    unknown_there: list[tuple[str, str]] = field(default_factory=list)  # stored, not at Stripe
    missed_events: int = 0


def sync(progress: Callable[[str], Any] = lambda _: None) -> SyncReport:
    """Read all objects and the events of the last 30 days from Stripe; return what was corrected.

    `progress` is told the kind of each object that is read. Raises StripeProblem.
    """
    report, changed = SyncReport(), set[str]()
    for kind, filters in _KINDS.items():
        changed |= _sync_kind(kind, filters, report, progress)
    changed |= _missed_events(report, progress)
    if changed:
        stripe_events.tell_all(changed)
        stripe_changed.send(sender=None, customer_ids=changed)
    return report


def _sync_kind(
    kind: str, filters: dict[str, Any], report: SyncReport, progress: Callable[[str], Any]
) -> set[str]:
    """Return the customers for whom something has changed."""
    found: Counter[StoreOutcome] = Counter()
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
        found[change] += 1
        if change == StoreOutcome.CHANGED:
            report.corrected.append((kind, listed["id"]))
        if customers.link_by(stripe_json) or change in {StoreOutcome.NEW, StoreOutcome.CHANGED}:
            changed.add(gateway.owner_of(stripe_json))
    report.found[kind] = found
    _look_for(gateway.stored_ids(kind) - seen, kind, report)
    return changed - {""}


def _look_for(object_ids: set[str], kind: str, report: SyncReport) -> None:
    """Ask for what Stripe does not list, such as deleted customers."""
    for object_id in sorted(object_ids):
        if gateway.refresh(kind, object_id) is None:
            report.unknown_there.append((kind, object_id))


def _missed_events(report: SyncReport, progress: Callable[[str], Any]) -> set[str]:
    """Apply the events that never came, oldest first; the objects are up to date already."""
    events = [event for event in gateway.every("event") if event["type"] in NAMES]
    changed = set[str]()
    for event in reversed(events):
        progress("event")
        try:
            noted = stripe_events.receive(event)
        except UnusableStripeObject as error:
            report.refused.append(("event", event["id"], str(error)))
            continue
        if noted is not None and noted.due_at is not None:
            report.missed_events += 1
            stripe_events.apply(noted.pk, now=gateway.moment(), read=False, follow=False)
            changed.add(noted.customer_id)
    return changed - {""}

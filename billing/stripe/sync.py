"""Compare all stored Stripe objects with Stripe, and correct them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from billing.calculations.stripe_completion import EXPANDABLE
from billing.calculations.stripe_event import NAMES
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.models import StripeEvent
from billing.stripe import applying, customers, gateway
from billing.stripe import events as stripe_events
from billing.stripe.gateway import StoreOutcome
from common.formatting import first_line

Json = dict[str, Any]
Progress = Callable[[str, int], Any]  # kind, or FOLLOWING; how many more objects, or customers

FOLLOWING = "Updating customers' MRR"
_BATCH = 1_000

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


def sync(progress: Progress = lambda *_: None) -> SyncReport:
    """Read all objects and the events of the last 30 days from Stripe, and correct stored ones.

    Raises StripeProblem; what was stored before stays.
    """
    report, changed, referred = SyncReport(), set[str](), set[str]()
    for kind, filters in _KINDS.items():
        if kind in EXPANDABLE:
            referred |= _sync_kind(kind, filters, report, progress)
        else:
            changed |= _sync_kind(kind, filters, report, progress)
    changed |= _missed_events(report, progress)
    applying.follow_all(changed, referred, lambda number: progress(FOLLOWING, number))
    return report


def _sync_kind(
    kind: str, filters: dict[str, Any], report: SyncReport, progress: Progress
) -> set[str]:
    """Sync objects of a kind; return the ids of the customers, coupons or prices with changes."""
    report.outcomes[kind] = Counter()
    changed, seen = set[str](), set[str]()
    as_of = gateway.moment()
    for listed in _batches(kind, filters, progress):
        seen.update(row["id"] for row in listed)
        kept = gateway.keep_all(listed, as_of=as_of)
        changed |= _note(kind, kept, report)
    _check_unlisted(gateway.stored_ids(kind) - seen, kind, report)
    return changed


def _batches(kind: str, filters: dict[str, Any], progress: Progress) -> Iterator[list[Json]]:
    """Yield Stripe's objects in batches, so that they are never all in memory."""
    listed = gateway.every(kind, **filters)
    while batch := list(islice(listed, _BATCH)):
        yield batch
        progress(kind, len(batch))


def _note(kind: str, kept: list[tuple[Json, gateway.Stored]], report: SyncReport) -> set[str]:
    """Report outcomes; return the ids of the customers, coupons or prices with changes."""
    usable, changed = [], []
    for stripe_json, outcome in kept:
        if isinstance(outcome, Exception):
            report.refused.append((kind, stripe_json["id"], first_line(outcome)))
            continue
        usable.append(stripe_json)
        report.outcomes[kind][outcome] += 1
        if outcome == StoreOutcome.CHANGED:
            report.corrected.append((kind, stripe_json["id"]))
        if outcome in {StoreOutcome.NEW, StoreOutcome.CHANGED}:
            changed.append(stripe_json)
    linked = customers.link_all(usable)
    if kind in EXPANDABLE:
        return {stripe_json["id"] for stripe_json in changed}
    return linked | gateway.owners_of(changed)


def _check_unlisted(object_ids: set[str], kind: str, report: SyncReport) -> None:
    """Read objects that Stripe does not list, such as deleted customers."""
    for object_id in sorted(object_ids):
        if gateway.refresh(kind, object_id) is None:
            report.missing_at_stripe.append((kind, object_id))


def _missed_events(report: SyncReport, progress: Progress) -> set[str]:
    """Apply events that never arrived, oldest first; the objects are already up to date."""
    missed = []
    for listed in _batches("event", {}, progress):
        stored = StripeEvent.objects.filter(pk__in=[event["id"] for event in listed])
        stored_ids = set(stored.values_list("pk", flat=True))
        for event in listed:
            if event["type"] not in NAMES or event["id"] in stored_ids:
                continue
            try:
                received = stripe_events.receive(event)
            except UnusableStripeObject as error:
                report.refused.append(("event", event["id"], str(error)))
                continue
            if received is not None and received.due_at is not None:
                missed.append((received.pk, received.customer_id))
    for event_id, _ in reversed(missed):  # Stripe lists the newest first
        applying.apply(event_id, now=gateway.moment(), read=False, follow=False)
    report.missed_events = len(missed)
    return {customer_id for _, customer_id in missed} - {""}

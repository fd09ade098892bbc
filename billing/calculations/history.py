"""A customer's monthly payments over time, from stored subscriptions and events.

All stored objects of a customer are read together, so neither the order nor the number of
deliveries matters. Times are Unix seconds.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import Any

import msgspec

from billing.calculations.mrr import COUNTED, change_points, mrr, mrr_with_tax
from billing.calculations.stripe_completion import Stored, discounts_in
from billing.calculations.subscription import SubscriptionState, SubscriptionStatus
from billing.calculations.versions.customer_discounts import (
    CustomerRecord,
    DiscountPeriod,
    discount_periods,
)
from billing.calculations.versions.event_order import object_before
from billing.calculations.versions.subscription_versions import (
    Held,
    SubscriptionReader,
    Version,
    versions_of,
)

Json = Mapping[str, Any]

_FOREVER = 2**62
NO_RECORD = CustomerRecord()


class MrrChange(msgspec.Struct, frozen=True, gc=False):
    """From `moment` on a subscription brings `amount` a month, caused by the objects `sources`."""

    moment: int
    subscription: str
    currency: str
    amount: Fraction
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Changes in order of time, the latest version of each subscription, and unusable objects."""

    changes: tuple[MrrChange, ...]
    latest: tuple[SubscriptionState, ...]
    held: tuple[Held, ...]


def nothing_stored(_kind: str, _stripe_id: str) -> None:
    """Answer that no further object is stored."""


def customer_history(
    subscriptions: Iterable[Json],
    events: Iterable[Json],
    *,
    record: CustomerRecord = NO_RECORD,
    stored: Stored = nothing_stored,
) -> History:
    """Return the history of one customer from the JSON of Stripe's objects and events.

    `stored` returns coupons, prices and discounts that these only refer to.
    """
    subscriptions, events = list(subscriptions), list(events)
    periods = discount_periods(record)
    owners = chain(subscriptions, [record.customer or {}], _owners(events), _owners(record.events))
    reader = SubscriptionReader(_Discounts(owners), stored, periods)
    by_subscription: dict[str, list[Json]] = defaultdict(list)
    for event in events:
        by_subscription[event["data"]["object"].get("id") or ""].append(event)
    objects: dict[str, SubscriptionState] = {}
    for stripe_json in subscriptions:
        state = reader.usable(stripe_json, stripe_json.get("id") or "")
        if state is not None:
            objects[state.id] = state
    changes: list[MrrChange] = []
    latest: list[SubscriptionState] = []
    for subscription_id in sorted(by_subscription.keys() | objects.keys()):
        own_events, own_object = by_subscription[subscription_id], objects.get(subscription_id)
        if versions := versions_of(own_events, own_object, reader):
            changes += _changes(versions, periods)
            latest.append(versions[-1].state)
    changes.sort(key=lambda change: (change.moment, change.subscription))
    return History(tuple(changes), tuple(latest), tuple(sorted(reader.held, key=repr)))


def with_tax(history: History, moment: int) -> dict[str, Fraction]:
    """Return the MRR that contains taxes at rates that are not known, by currency."""
    return _sums(history, lambda state: mrr_with_tax(state, moment))


def at_risk(history: History, moment: int) -> dict[str, Fraction]:
    """Return the MRR of subscriptions whose payment is past due, by currency (P38)."""

    def past_due(state: SubscriptionState) -> Fraction:
        is_due = state.status is SubscriptionStatus.PAST_DUE
        return mrr(state, moment) if is_due else Fraction(0)

    return _sums(history, past_due)


def scheduled(history: History) -> list[tuple[int, str, Fraction]]:
    """Return end, currency and MRR of paid subscriptions that are scheduled to cancel."""
    return [
        (state.ends_at, state.currency, mrr(state, state.ends_at - 1))
        for state in history.latest
        if state.ends_at is not None and state.status in COUNTED
    ]


def _sums(
    history: History, amount_of: Callable[[SubscriptionState], Fraction]
) -> dict[str, Fraction]:
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for state in history.latest:
        if amount := amount_of(state):
            amounts[state.currency] += amount
    return dict(amounts)


class _Discounts(Mapping[str, Any]):
    """Every discount that any of a customer's objects contains, by id: events often have only ids.

    It is collected when the first one is needed, which most customers never do. The fuller of two
    versions is used, whatever their order.
    """

    def __init__(self, owners: Iterable[Json]) -> None:
        self._owners = owners

    def __getitem__(self, discount_id: str) -> Any:
        return self._by_id[discount_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    @cached_property
    def _by_id(self) -> dict[str, Any]:
        discounts: dict[str, Any] = {}
        for owner in self._owners:
            for discount_id, row in discounts_in(owner).items():
                discounts[discount_id] = max(discounts.get(discount_id, row), row, key=repr)
        return discounts


def _owners(events: Iterable[Json]) -> Iterator[Json]:
    """Yield what has discounts in events, before and after them."""
    for event in events:
        stripe_json = event["data"]["object"]
        if stripe_json.get("object") == "discount":
            yield {"discount": stripe_json}
        else:
            yield from (stripe_json, object_before(event))


def _changes(versions: Sequence[Version], periods: Sequence[DiscountPeriod]) -> Iterator[MrrChange]:
    """Yield a change wherever the MRR of a subscription changes."""
    amount = Fraction(0)
    ends = [version.moment for version in versions[1:]] + [_FOREVER]
    for version, end in zip(versions, ends, strict=True):
        state = version.state
        start = version.moment
        for moment in (start, *sorted([p for p in change_points(state) if start < p < end])):
            now = mrr(state, moment)
            if now != amount:
                amount = now
                named = (state.id, version.source, *_of_customer(periods, moment))
                sources = tuple(dict.fromkeys(filter(None, named)))
                yield MrrChange(moment, state.id, state.currency, now, sources)


def _of_customer(periods: Iterable[DiscountPeriod], moment: int) -> Iterator[str]:
    """Yield the objects that brought or took a discount of the customer at a time."""
    for period in periods:
        for edge, source in zip((period.start, period.end), period.sources, strict=True):
            if edge == moment:
                yield source

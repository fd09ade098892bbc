"""A customer's monthly payments over time, from stored subscriptions and events.

All stored objects of a customer are read together, so neither the order nor the number of
deliveries matters. Times are Unix seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import msgspec

from billing.calculations.mrr import COUNTED, change_points, mrr
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.subscription import (
    SubscriptionState,
    SubscriptionStatus,
    subscription_state,
)

_FOREVER = 2**62
_CREATED, _UPDATED, _DELETED = 0, 1, 2  # the order within the same second
_RANKS = {"customer.subscription.created": _CREATED, "customer.subscription.deleted": _DELETED}


class MrrChange(msgspec.Struct, frozen=True, gc=False):
    """From `moment` on a subscription brings `amount` a month, caused by the objects `sources`."""

    moment: int
    subscription: str
    currency: str
    amount: Fraction
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A stored object that cannot be used, and why."""

    stripe_id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """Changes in order of time, the latest version of each subscription, and unusable objects."""

    changes: tuple[MrrChange, ...]
    latest: tuple[SubscriptionState, ...]
    held: tuple[Held, ...]


class _Version(msgspec.Struct, frozen=True, gc=False):
    moment: int  # from which on it applies
    state: SubscriptionState
    source: str


def customer_history(
    subscriptions: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> History:
    """Return the history of one customer from the JSON of Stripe's objects and events."""
    held: set[Held] = set()
    by_subscription: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        by_subscription[event["data"]["object"].get("id") or ""].append(event)
    objects: dict[str, SubscriptionState] = {}
    for stripe_json in subscriptions:
        state = _usable(stripe_json, stripe_json.get("id") or "", held)
        if state is not None:
            objects[state.id] = state
    changes: list[MrrChange] = []
    latest: list[SubscriptionState] = []
    for subscription_id in sorted(by_subscription.keys() | objects.keys()):
        versions = _versions(
            by_subscription.get(subscription_id, ()), objects.get(subscription_id), held
        )
        if versions:
            changes += _changes(versions)
            latest.append(versions[-1].state)
    changes.sort(key=lambda change: (change.moment, change.subscription))
    return History(tuple(changes), tuple(latest), tuple(sorted(held, key=repr)))


def at_risk(history: History, moment: int) -> dict[str, Fraction]:
    """Return the MRR of subscriptions whose payment is past due, by currency (P38)."""
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for state in history.latest:
        if state.status is SubscriptionStatus.PAST_DUE:
            amounts[state.currency] += mrr(state, moment)
    return dict(amounts)


def scheduled(history: History) -> list[tuple[int, str, Fraction]]:
    """Return end, currency and MRR of paid subscriptions that are scheduled to cancel."""
    return [
        (state.ends_at, state.currency, mrr(state, state.ends_at - 1))
        for state in history.latest
        if state.ends_at is not None and state.status in COUNTED
    ]


def _usable(
    stripe_json: Mapping[str, Any], stripe_id: str, held: set[Held]
) -> SubscriptionState | None:
    try:
        return subscription_state(stripe_json)
    except UnusableStripeObject as error:
        held.add(Held(stripe_id, error.field, str(error)))
        return None


def _versions(
    events: Sequence[Mapping[str, Any]], stored: SubscriptionState | None, held: set[Held]
) -> list[_Version]:
    """Return the versions of one subscription in order of time; the newest wins (P16).

    The stored object is Stripe's latest state: it corrects the newest event, and adds an end that
    has no event. An ended subscription never comes back.
    """
    by_key: dict[tuple[int, int, str], tuple[_Version, Mapping[str, Any]]] = {}
    for event in events:
        state = _usable(event["data"]["object"], event.get("id") or "", held)
        if state is None:
            continue
        key = event["created"], _RANKS.get(event["type"], _UPDATED), event["id"]
        if key in by_key and repr(by_key[key][0].state) >= repr(state):
            continue
        by_key[key] = _Version(_applies_from(state, event["created"]), state, event["id"]), event
    ordered = [by_key[key] for key in sorted(by_key)]
    versions = _until_the_end([version for version, _ in ordered])
    if versions:
        before = _before(ordered[0][1], versions[0].state)
        if before.created < versions[0].moment:
            versions.insert(0, _Version(before.created, before, versions[0].source))
    if stored is None or (versions and versions[-1].state.has_ended):
        return versions
    if not versions:
        return [_Version(stored.created, stored, stored.id)]
    last = versions[-1]
    if stored.has_ended:
        return [*versions, _Version(_applies_from(stored, last.moment), stored, stored.id)]
    if stored != last.state:
        versions[-1] = _Version(last.moment, stored, last.source)
    return versions


def _applies_from(state: SubscriptionState, event_time: int) -> int:
    return state.ended_at if state.has_ended and state.ended_at is not None else event_time


def _until_the_end(versions: list[_Version]) -> list[_Version]:
    for number, version in enumerate(versions):
        if version.state.has_ended:
            end = version.moment
            return [*(earlier for earlier in versions[:number] if earlier.moment < end), version]
    return versions


def _before(event: Mapping[str, Any], state: SubscriptionState) -> SubscriptionState:
    """Return the state before the oldest event."""
    previous = event["data"].get("previous_attributes")
    if not previous:
        return state
    try:
        return subscription_state({**event["data"]["object"], **previous})
    except UnusableStripeObject:
        return state


def _changes(versions: Sequence[_Version]) -> Iterator[MrrChange]:
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
                event = (version.source,) if version.source != state.id else ()
                yield MrrChange(moment, state.id, state.currency, now, (state.id, *event))

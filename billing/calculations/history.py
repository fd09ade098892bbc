"""What a customer paid a month, from the first day on: out of stored subscriptions and events.

Everything stored about a customer is read together, so neither the order nor the number of
deliveries matters. Moments are Unix seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import msgspec

from billing.calculations.mrr import COUNTED, change_points, mrr
from billing.calculations.subscription import (
    SubscriptionState,
    SubscriptionStatus,
    UnusableStripeObject,
    subscription_state,
)

_FOREVER = 2**62
_CREATED, _UPDATED, _DELETED = 0, 1, 2  # the order within one second
_RANKS = {"customer.subscription.created": _CREATED, "customer.subscription.deleted": _DELETED}


class MrrChange(msgspec.Struct, frozen=True, gc=False):
    """From `moment` on a subscription brings `amount` a month, because of the objects `sources`."""

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
    """Changes in the order of time, the versions in force at the end, and what was left out."""

    changes: tuple[MrrChange, ...]
    latest: tuple[SubscriptionState, ...]
    held: tuple[Held, ...]


class _Version(msgspec.Struct, frozen=True, gc=False):
    moment: int  # from which on it holds
    state: SubscriptionState
    source: str


def customer_history(
    subscriptions: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> History:
    """Return the history of one customer from the JSON of Stripe's objects and events."""
    held: set[Held] = set()
    told: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        told[event["data"]["object"].get("id") or ""].append(event)
    objects: dict[str, SubscriptionState] = {}
    for stripe_json in subscriptions:
        state = _usable(stripe_json, stripe_json.get("id") or "", held)
        if state is not None:
            objects[state.id] = state
    changes: list[MrrChange] = []
    latest: list[SubscriptionState] = []
    for subscription_id in sorted(told.keys() | objects.keys()):
        versions = _versions(told.get(subscription_id, ()), objects.get(subscription_id), held)
        if versions:
            changes += _changes(versions)
            latest.append(versions[-1].state)
    changes.sort(key=lambda change: (change.moment, change.subscription))
    return History(tuple(changes), tuple(latest), tuple(sorted(held, key=repr)))


def at_risk(history: History, moment: int) -> dict[str, Fraction]:
    """Return by currency the MRR of subscriptions whose payment is past due (P38)."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for state in history.latest:
        if state.status is SubscriptionStatus.PAST_DUE:
            found[state.currency] += mrr(state, moment)
    return dict(found)


def scheduled(history: History) -> list[tuple[int, str, Fraction]]:
    """Return the end, currency and MRR of subscriptions that are paid for and asked to end."""
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
    """Return the versions of one subscription in the order of time; the newest wins (P16).

    The stored object is what Stripe said last: it corrects the newest event, and adds an end that
    no event told of. What has ended never comes back.
    """
    found: dict[tuple[int, int, str], tuple[_Version, Mapping[str, Any]]] = {}
    for event in events:
        state = _usable(event["data"]["object"], event.get("id") or "", held)
        if state is None:
            continue
        key = event["created"], _RANKS.get(event["type"], _UPDATED), event["id"]
        if key in found and repr(found[key][0].state) >= repr(state):
            continue
        found[key] = _Version(_holds_from(state, event["created"]), state, event["id"]), event
    told = [found[key] for key in sorted(found)]
    versions = _until_the_end([version for version, _ in told])
    if versions:
        before = _before(told[0][1], versions[0].state)
        if before.created < versions[0].moment:
            versions.insert(0, _Version(before.created, before, versions[0].source))
    if stored is None or (versions and versions[-1].state.has_ended):
        return versions
    if not versions:
        return [_Version(stored.created, stored, stored.id)]
    last = versions[-1]
    if stored.has_ended:
        return [*versions, _Version(_holds_from(stored, last.moment), stored, stored.id)]
    if stored != last.state:
        versions[-1] = _Version(last.moment, stored, last.source)
    return versions


def _holds_from(state: SubscriptionState, told_at: int) -> int:
    return state.ended_at if state.has_ended and state.ended_at is not None else told_at


def _until_the_end(versions: list[_Version]) -> list[_Version]:
    for number, version in enumerate(versions):
        if version.state.has_ended:
            end = version.moment
            return [*(one for one in versions[:number] if one.moment < end), version]
    return versions


def _before(event: Mapping[str, Any], state: SubscriptionState) -> SubscriptionState:
    """Return what held before the oldest event that is known of."""
    previous = event["data"].get("previous_attributes")
    if not previous:
        return state
    try:
        return subscription_state({**event["data"]["object"], **previous})
    except UnusableStripeObject:
        return state


def _changes(versions: Sequence[_Version]) -> Iterator[MrrChange]:
    """Return a change wherever the MRR of a subscription becomes another one."""
    amount = Fraction(0)
    ends = [version.moment for version in versions[1:]] + [_FOREVER]
    for version, end in zip(versions, ends, strict=True):
        state = version.state
        start = version.moment
        for moment in (start, *sorted([p for p in change_points(state) if start < p < end])):
            now = mrr(state, moment)
            if now != amount:
                amount = now
                told_by = (version.source,) if version.source != state.id else ()
                yield MrrChange(moment, state.id, state.currency, now, (state.id, *told_by))

"""The versions of a subscription over time, from its events and its stored object."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from billing.calculations.stripe_completion import Stored, completed, completed_discount
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.subscription import SubscriptionState, subscription_state
from billing.calculations.versions.customer_discounts import DiscountPeriod, inherited
from billing.calculations.versions.event_order import in_order, object_before

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A stored object that cannot be used, and why."""

    stripe_id: str
    field: str
    reason: str


class Version(msgspec.Struct, frozen=True, gc=False):
    moment: int  # from which on it applies
    state: SubscriptionState
    source: str


class SubscriptionReader:
    """Reads a customer's subscriptions with all that changes what they cost; `held` it cannot."""

    def __init__(
        self, discounts: Mapping[str, Any], stored: Stored, periods: Iterable[DiscountPeriod]
    ) -> None:
        self._discounts, self._stored = discounts, stored
        self._periods = [
            msgspec.structs.replace(
                period,
                discount=completed_discount(period.discount, discounts=discounts, stored=stored),
            )
            for period in periods
        ]
        self.held: set[Held] = set()

    def usable(self, stripe_json: Json, stripe_id: str) -> SubscriptionState | None:
        """Return the state in a subscription's JSON; None if it is unusable, which is held."""
        try:
            return self.state(stripe_json)
        except UnusableStripeObject as error:
            self.held.add(Held(stripe_id, error.field, str(error)))
            return None

    def state(self, stripe_json: Json) -> SubscriptionState:
        """Return the state in a subscription's JSON; UnusableStripeObject names the field."""
        state = subscription_state(
            completed(stripe_json, discounts=self._discounts, stored=self._stored)
        )
        if not self._periods:
            return state
        of_customer = inherited(self._periods, state.currency)
        return msgspec.structs.replace(state, inherited=of_customer)


def versions_of(
    events: Sequence[Json], stored: SubscriptionState | None, reader: SubscriptionReader
) -> list[Version]:
    """Return the versions of one subscription in order of time; the newest wins (P16).

    The stored object is Stripe's latest state: it corrects the newest event, and adds an end that
    has no event. An ended subscription never comes back.
    """
    states = _states(events, reader)
    ordered = in_order(event for event, _ in states.values())
    versions = _until_the_end(
        [
            Version(_applies_from(state, event["created"]), state, event["id"])
            for event in ordered
            for _, state in [states[_key(event)]]
        ]
    )
    if versions:
        before = _before(ordered[0], versions[0].state, reader)
        if before.created < versions[0].moment:
            versions.insert(0, Version(before.created, before, versions[0].source))
    return _corrected(versions, stored)


def _states(
    events: Iterable[Json], reader: SubscriptionReader
) -> dict[tuple[Any, ...], tuple[Json, SubscriptionState]]:
    """Return the usable events with their states; of several with an id the same one always."""
    states: dict[tuple[Any, ...], tuple[Json, SubscriptionState]] = {}
    for event in events:
        state = reader.usable(event["data"]["object"], event.get("id") or "")
        key = _key(event)
        if state is not None and (key not in states or repr(states[key][1]) < repr(state)):
            states[key] = event, state
    return states


def _key(event: Json) -> tuple[Any, ...]:
    return event["created"], event["type"], event["id"]


def _corrected(versions: list[Version], stored: SubscriptionState | None) -> list[Version]:
    if stored is None or (versions and versions[-1].state.has_ended):
        return versions
    if not versions:
        return [Version(stored.created, stored, stored.id)]
    last = versions[-1]
    if stored.has_ended:
        return [*versions, Version(_applies_from(stored, last.moment), stored, stored.id)]
    if stored != last.state:
        versions[-1] = Version(last.moment, stored, last.source)
    return versions


def _applies_from(state: SubscriptionState, event_time: int) -> int:
    return state.ended_at if state.has_ended and state.ended_at is not None else event_time


def _until_the_end(versions: list[Version]) -> list[Version]:
    for number, version in enumerate(versions):
        if version.state.has_ended:
            end = version.moment
            return [*(earlier for earlier in versions[:number] if earlier.moment < end), version]
    return versions


def _before(event: Json, state: SubscriptionState, reader: SubscriptionReader) -> SubscriptionState:
    """Return the state before the oldest event."""
    if not event["data"].get("previous_attributes"):
        return state
    try:
        return reader.state(object_before(event))
    except UnusableStripeObject:
        return state

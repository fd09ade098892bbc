"""A customer's own discount over time: it counts for subscriptions that have none.

Sources are the events of the customer and of the discount, and the stored customer.
Times are Unix seconds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, zip_longest
from typing import Any

import msgspec

from billing.calculations.stripe_discount import Discount, OtherCurrency, read_discounts
from billing.calculations.versions.event_order import in_order, moment_and_rank, object_before

Json = Mapping[str, Any]

_OF_DISCOUNTS = "customer.discount."
_REMOVED = "customer.discount.deleted"
_ELSEWHERE = ("subscription", "subscription_item", "invoice", "invoice_item", "checkout_session")


class CustomerRecord(msgspec.Struct, frozen=True):
    """What is stored of a customer and its discounts; `as_of` (Unix time) is the customer's."""

    customer: Json | None = None
    as_of: float = 0
    events: Sequence[Json] = ()  # customer.created, .updated, .deleted, and customer.discount.*


class DiscountPeriod(msgspec.Struct, frozen=True):
    """The customer's discount from `start` until before `end`."""

    discount: Json
    start: int
    end: int | None
    sources: tuple[str, ...]  # ids of the objects that say so


class _Version(msgspec.Struct, frozen=True):
    moment: int
    discount: Json | None
    source: str


def discount_periods(record: CustomerRecord) -> list[DiscountPeriod]:
    """Return when a customer had which discount, in order of time."""
    versions = _corrected(list(_versions(record.events)), record)
    return [
        DiscountPeriod(
            version.discount,
            version.moment,
            after.moment if after else None,
            (version.source, after.source if after else ""),
        )
        for version, after in zip_longest(versions, versions[1:])
        if version.discount and (after is None or version.moment < after.moment)
    ]


def inherited(periods: Iterable[DiscountPeriod], currency: str) -> tuple[Discount, ...]:
    """Return what a customer's discounts take off subscriptions in a currency.

    An amount in another currency takes off nothing. UnusableStripeObject names an invalid field.
    """
    discounts = []
    for period in periods:
        try:
            (discount,) = read_discounts({"discount": period.discount}, currency)
        except OtherCurrency:
            continue
        starts = [moment for moment in (discount.start, period.start) if moment is not None]
        ends = [moment for moment in (discount.end, period.end) if moment is not None]
        discounts.append(replace(discount, start=max(starts), end=min(ends, default=None)))
    return tuple(discounts)


def _versions(events: Sequence[Json]) -> Iterator[_Version]:
    """Yield the discount after each event that names it, and before the first."""
    ordered = _relevant(events)
    if ordered:
        before = _before(ordered[0])
        yield _Version(_start(before), before, ordered[0]["id"])
    current = before if ordered else None
    for event in ordered:
        current = _after(event, current)
        yield _Version(event["created"], current, event["id"])


def _relevant(events: Sequence[Json]) -> list[Json]:
    """Return the events that say what the discount is, in order.

    In a second with a change of it, the others may be from before or after.
    """
    naming = [event for event in events if _names_it(event)]
    of_customer = in_order(e for e in naming if not e["type"].startswith(_OF_DISCOUNTS))
    of_discount = in_order(e for e in naming if e["type"].startswith(_OF_DISCOUNTS))
    ordered = sorted(of_customer + of_discount, key=moment_and_rank)
    relevant: list[Json] = []
    for _, group in groupby(ordered, key=lambda event: event["created"]):
        same_second = list(group)
        relevant += [event for event in same_second if _changes_it(event)] or same_second
    return relevant


def _names_it(event: Json) -> bool:
    stripe_json = event["data"]["object"]
    if event["type"].startswith(_OF_DISCOUNTS):
        return not any(stripe_json.get(name) for name in _ELSEWHERE)
    return "discount" in stripe_json


def _changes_it(event: Json) -> bool:
    of_discount = event["type"].startswith(_OF_DISCOUNTS)
    return of_discount or "discount" in (event["data"].get("previous_attributes") or {})


def _before(event: Json) -> Json | None:
    kind = event["type"]
    if kind.endswith(".created"):
        return None
    before = object_before(event)
    return before if kind.startswith(_OF_DISCOUNTS) else before.get("discount")


def _after(event: Json, current: Json | None) -> Json | None:
    """Return the customer's discount after an event; removing an earlier one changes nothing."""
    stripe_json: Json = event["data"]["object"]
    if event["type"] == _REMOVED:
        return None if _id(stripe_json) == _id(current) else current
    if event["type"].startswith(_OF_DISCOUNTS):
        return stripe_json
    named: Json | None = stripe_json["discount"]
    return named


def _corrected(versions: list[_Version], record: CustomerRecord) -> list[_Version]:
    """Correct the newest version by the stored customer, if that is newer than all events."""
    customer = record.customer
    if customer is None or "discount" not in customer:
        return versions
    discount, source = customer["discount"], str(customer.get("id"))
    if not versions:
        return [_Version(_start(discount), discount, source)]
    last = versions[-1]
    # An event's own object is stored as of its second, plus some microseconds.
    is_newer = record.as_of > last.moment + 0.001
    if not is_newer or _id(discount) == _id(last.discount) or _is_over(last, record):
        return versions
    start = _start(discount)
    if start > last.moment:
        return [*versions, _Version(start, discount, source)]
    return [*versions[:-1], _Version(last.moment, discount, source)]


def _is_over(last: _Version, record: CustomerRecord) -> bool:
    """Whether the newest discount is missing from the customer because its time was over."""
    end = (last.discount or {}).get("end")
    gone = record.customer is not None and record.customer["discount"] is None
    return gone and isinstance(end, int) and end <= record.as_of


def _start(discount: Json | None) -> int:
    start = (discount or {}).get("start")
    return start if isinstance(start, int) else 0


def _id(discount: Json | None) -> Any:
    """Return what identifies a discount: in old versions it has no id."""
    return discount and (discount.get("id") or (discount.get("coupon"), discount.get("start")))

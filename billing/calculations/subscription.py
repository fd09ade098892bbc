"""A Stripe subscription, read strictly from any format of Stripe's JSON since 2017.

Times are Unix seconds in UTC, amounts minor units of the subscription's currency.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from billing.calculations.stripe_discount import Discount, read_discounts
from billing.calculations.stripe_fields import UnusableStripeObject, id_of, moment_of
from billing.calculations.stripe_price import (
    Item,
    interval_of,
    price_of,
    read_item,
)
from common.calculations.currency import DECIMALS


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    UNPAID = "unpaid"
    PAUSED = "paused"


_MOMENTS = ("created start_date start trial_start trial_end canceled_at cancel_at ended_at").split()
_STATUSES = {status.value: status for status in SubscriptionStatus}
ENDED = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED})


class SubscriptionState(msgspec.Struct, frozen=True, gc=False):
    """The state of one version of a subscription."""

    id: str
    customer: str
    status: SubscriptionStatus
    currency: str
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...]
    created: int
    start: int
    trial_start: int | None
    trial_end: int | None
    canceled_at: int | None
    cancel_at: int | None
    cancel_at_period_end: bool
    current_period_end: int | None
    ended_at: int | None
    pause_behavior: str  # of `pause_collection`; "": not paused
    resumes_at: int | None
    inherited: tuple[Discount, ...] = ()  # the customer's: they count while it has none of its own

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def ends_at(self) -> int | None:
        """When it is scheduled to end, None if it is not."""
        return self.cancel_at or (self.current_period_end if self.cancel_at_period_end else None)


def subscription_state(stripe_json: Mapping[str, Any]) -> SubscriptionState:
    """Read a subscription; UnusableStripeObject names the invalid field."""
    get = stripe_json.get
    status = _STATUSES.get(get("status"))  # type: ignore[arg-type]
    if status is None:
        raise UnusableStripeObject("status", f"{get('status')!r} is not a subscription status")
    rows = _rows(stripe_json)
    intervals = [interval_of(price_of(row)) for row in rows]
    currency = _currency(stripe_json, rows)
    moments = {name: get(name) for name in _MOMENTS}
    for name, moment in moments.items():
        if moment is not None and type(moment) is not int:
            raise UnusableStripeObject(name, f"{moment!r} is not a Unix time")
    pause = get("pause_collection") or {}
    return SubscriptionState(
        id=id_of(get("id"), "id"),
        customer=id_of(get("customer"), "customer"),
        status=status,
        currency=currency,
        items=tuple(
            [
                read_item(row, interval, currency, stripe_json)
                for row, interval in zip(rows, intervals, strict=True)
            ]
        ),
        discounts=read_discounts(stripe_json, currency),
        **_begin(moments),
        cancel_at_period_end=bool(get("cancel_at_period_end")),
        current_period_end=_period_end(stripe_json, rows),
        pause_behavior=pause.get("behavior") or "",
        resumes_at=moment_of(pause, "resumes_at") if pause else None,
    )


def _rows(stripe_json: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the items; in old versions a subscription had a single plan instead."""
    items = stripe_json.get("items") or {}
    rows = items if isinstance(items, list) else items.get("data")
    if isinstance(items, dict) and items.get("has_more"):
        raise UnusableStripeObject("items", "are not complete (has_more)")
    if rows:
        return list(rows)
    if plan := stripe_json.get("plan"):
        return [{"id": "", "plan": plan, "quantity": stripe_json.get("quantity")}]
    raise UnusableStripeObject("items", "are missing")


def _currency(stripe_json: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the subscription's own currency, or that of all its prices."""
    own = stripe_json.get("currency")
    if own in DECIMALS:
        return str(own)
    named = [own] if own else [price_of(row).get("currency") for row in rows]
    currencies = {str(code).lower() for code in named if code}
    if not currencies:
        raise UnusableStripeObject("currency", "is missing")
    if len(currencies) > 1:
        raise UnusableStripeObject(
            "currency", f"there are several: {', '.join(sorted(currencies))}"
        )
    (currency,) = currencies
    if currency not in DECIMALS:
        raise UnusableStripeObject("currency", f"{currency!r} is not a supported currency")
    return currency


def _period_end(stripe_json: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the end of the current period: the subscription's, or since 2025 its items'."""
    own = moment_of(stripe_json, "current_period_end")
    if own is not None:
        return own
    item_ends = [moment for row in rows if (moment := moment_of(row, "current_period_end"))]
    return max(item_ends, default=None)


def _begin(moments: dict[str, int | None]) -> dict[str, Any]:
    """Return the times with `created` and `start`; either replaces the other if it is missing."""
    start_date, start = moments.pop("start_date"), moments["start"]
    created = moments["created"]
    present_times = [moment for moment in (start_date, start, created) if moment is not None]
    if not present_times:
        raise UnusableStripeObject("start_date", "is missing, as is created")
    moments["start"] = present_times[0]
    moments["created"] = present_times[0] if created is None else created
    return moments

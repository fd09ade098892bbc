"""Discounts of a subscription or of one of its items."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from billing.calculations.stripe_fields import UnusableStripeObject, decimal, moment_of, whole


class OtherCurrency(UnusableStripeObject):
    """A coupon takes off an amount, but none in the currency."""


class Duration(StrEnum):
    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True)
class Discount:
    """A coupon valid from `start` until before `end`, where these are set."""

    id: str
    duration: Duration
    percent_off: Fraction | None
    amount_off: int | None  # of each invoice
    start: int | None
    end: int | None
    products: frozenset[str]  # it applies to; empty: all


def read_discounts(owner: Mapping[str, Any], currency: str) -> tuple[Discount, ...]:
    """Return the discounts in order: a list now, a single discount in old versions."""
    rows = owner.get("discounts") or owner.get("discount")
    if not rows:
        return ()
    if isinstance(rows, dict):
        rows = rows["data"] if isinstance(rows.get("data"), list) else [rows]
    if any(isinstance(row, str) for row in rows) and isinstance(owner.get("discount"), dict):
        rows = [owner["discount"]]
    return tuple([_discount(row, currency) for row in rows])


def _discount(row: Any, currency: str) -> Discount:
    if not isinstance(row, dict):
        raise UnusableStripeObject(
            "discounts", f"{row!r} is only an id: the discount must be expanded"
        )
    coupon = row.get("coupon") or (row.get("source") or {}).get("coupon")
    if not isinstance(coupon, dict):
        raise UnusableStripeObject(
            "discounts.coupon", "is missing" if not coupon else "is only an id"
        )
    try:
        duration = Duration(coupon.get("duration") or "")
    except ValueError as error:
        raise UnusableStripeObject(
            "discounts.coupon.duration", f"{coupon.get('duration')!r}"
        ) from error
    percent, amount = coupon.get("percent_off"), _amount_off(coupon, currency)
    if amount is None and percent is None:
        raise UnusableStripeObject("discounts.coupon.percent_off", "is missing, as is amount_off")
    return Discount(
        id=row.get("id") or coupon.get("id") or "",
        duration=duration,
        percent_off=None if amount is not None else decimal(percent, "discounts.percent_off"),
        amount_off=amount,
        start=moment_of(row, "start"),
        end=moment_of(row, "end"),
        products=frozenset((coupon.get("applies_to") or {}).get("products") or ()),
    )


def _amount_off(coupon: Mapping[str, Any], currency: str) -> int | None:
    """Return the amount in a currency, the coupon's own or a further one; None: a percentage."""
    if coupon.get("amount_off") is None:
        return None
    if coupon.get("currency") not in {None, currency}:
        option = (coupon.get("currency_options") or {}).get(currency)
        if not option:
            raise OtherCurrency(
                "discounts.coupon.currency", f"{coupon['currency']!r}, not {currency}"
            )
        coupon = option
    return whole(coupon, "amount_off", "discounts.coupon")

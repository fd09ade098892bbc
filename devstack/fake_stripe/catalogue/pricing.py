"""Amounts of prices, ends of periods and reductions by coupons: pure arithmetic."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Object = dict[str, Any]


def amount(price: Object, quantity: int) -> int:
    """Return minor units for a quantity; half a unit is rounded up, as Stripe does."""
    if divisor := price["transform_quantity"]:
        whole, rest = divmod(quantity, divisor["divide_by"])
        quantity = whole + (1 if rest and divisor["round"] == "up" else 0)
    if price["billing_scheme"] == "per_unit":
        return rounded(Decimal(price["unit_amount_decimal"]) * quantity)
    total, below = Decimal(0), 0
    for tier in price["_tiers"]:
        upper = tier["up_to"]
        last = upper is None or quantity <= upper
        if price["tiers_mode"] == "volume":
            if last:
                return rounded(_tier(tier, quantity))
            continue
        units = (quantity if last else upper) - below
        total, below = total + _tier(tier, units), upper
        if last:
            break
    return rounded(total)


def _tier(tier: Object, units: int) -> Decimal:
    return Decimal(tier["unit_amount_decimal"] or 0) * units + Decimal(
        tier["flat_amount_decimal"] or 0
    )


def rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def share(value: int, part: int, whole: int) -> int:
    """Return `value * part / whole`, rounded."""
    return rounded(Decimal(value) * part / whole) if whole else 0


def reduction(coupon: Object, subtotal: int) -> int:
    """Return the amount a coupon takes off a subtotal, at most all of it."""
    if coupon["percent_off"] is not None:
        return rounded(Decimal(subtotal) * Decimal(str(coupon["percent_off"])) / 100)
    return min(int(coupon["amount_off"]), max(subtotal, 0))


def add(moment: int, interval: str, count: int) -> int:
    """Return Unix seconds `count` intervals later (UTC); the 31st becomes a month's last day."""
    start = datetime.fromtimestamp(moment, UTC)
    if interval in {"day", "week"}:
        return moment + int(
            timedelta(days=count * (7 if interval == "week" else 1)).total_seconds()
        )
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_end(anchor: int, recurring: Object, after: int) -> int:
    """Return the first boundary after a moment; all are counted from the anchor."""
    interval, count = recurring["interval"], recurring["interval_count"]
    step = 1
    while (end := add(anchor, interval, step * count)) <= after:
        step += 1
    return end if anchor <= after else anchor

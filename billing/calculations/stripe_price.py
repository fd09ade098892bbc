"""The price of a subscription's item: Stripe's prices, and the older plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

import msgspec

from billing.calculations.stripe_discount import Discount, read_discounts
from billing.calculations.stripe_fields import UnusableStripeObject, decimal, id_of, whole


class BillingInterval(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class TiersMode(StrEnum):
    GRADUATED = "graduated"
    VOLUME = "volume"


_NO_TAX = Fraction(0)
_INTERVALS = {interval.value: interval for interval in BillingInterval}


@dataclass(frozen=True, slots=True)
class Tier:
    up_to: int | None  # None: all further units
    unit_amount: Fraction
    flat_amount: Fraction


class Item(msgspec.Struct, frozen=True, gc=False):
    """The price of every `interval_count` intervals. Either `unit_amount` or `tiers` is set."""

    id: str
    price: str
    product: str
    interval: BillingInterval
    interval_count: int
    quantity: int
    metered: bool
    unit_amount: int | Fraction | None
    tiers: tuple[Tier, ...]
    tiers_mode: TiersMode | None
    divide_by: int  # package size
    round_up: bool
    discounts: tuple[Discount, ...]
    tax: Fraction  # the part of the amount without tax that inclusive taxes add: 0.19
    tax_included: bool  # in the amount, at an unknown rate


def price_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    price = row.get("price") or row.get("plan")
    if not isinstance(price, dict):
        raise UnusableStripeObject("items.price", "is missing" if not price else "is only an id")
    return price


def interval_of(price: Mapping[str, Any]) -> BillingInterval:
    name = (price.get("recurring") or price).get("interval")
    interval = _INTERVALS.get(name)  # type: ignore[arg-type]
    if interval is None:
        problem = "is missing" if name is None else f"{name!r} is not an interval"
        raise UnusableStripeObject("items.price.interval", problem)
    return interval


def sold_in(price: Mapping[str, Any], currency: str) -> Mapping[str, Any]:
    """Return a price with its amounts in a currency, its own or a further one it is sold in."""
    own = price.get("currency")
    if own is None or str(own).lower() == currency:
        return price
    option = (price.get("currency_options") or {}).get(currency)
    if not isinstance(option, dict):
        raise UnusableStripeObject("currency", f"there are several: {currency}, {own}")
    amounts = {name: option.get(name) for name in ("unit_amount", "unit_amount_decimal", "tiers")}
    behavior = option.get("tax_behavior") or price.get("tax_behavior")
    return {**price, **amounts, "amount": None, "currency": currency, "tax_behavior": behavior}


def read_item(
    row: Mapping[str, Any],
    interval: BillingInterval,
    currency: str,
    subscription: Mapping[str, Any],
) -> Item:
    price = sold_in(price_of(row), currency)
    rates = row.get("tax_rates") or subscription.get("default_tax_rates") or ()
    recurring = price.get("recurring") or price
    metered = recurring.get("usage_type") == "metered"
    tiered = price.get("billing_scheme") == "tiered" and not metered
    mode, tiers = _tiers(price) if tiered else (None, ())
    packages = price.get("transform_quantity") or price.get("transform_usage") or {}
    return Item(
        id=row.get("id") or "",
        price=price.get("id") or "",
        product=id_of(price.get("product"), "items.price.product", default=""),
        interval=interval,
        interval_count=whole(recurring, "interval_count", "items.price", default=1, least=1),
        quantity=whole(row, "quantity", "items", default=1),
        metered=metered,
        unit_amount=None if tiered or metered else _unit_amount(price, "items.price"),
        tiers=tiers,
        tiers_mode=mode,
        divide_by=whole(packages, "divide_by", "items.price", default=1, least=1),
        round_up=packages.get("round") == "up",
        discounts=read_discounts(row, currency),
        tax=_inclusive(rates) if rates else _NO_TAX,
        tax_included=not rates
        and price.get("tax_behavior") == "inclusive"
        and bool((subscription.get("automatic_tax") or {}).get("enabled")),
    )


def _inclusive(rates: Sequence[Any]) -> Fraction:
    """Return the sum of the rates of the taxes that are part of the price."""
    if not all(isinstance(rate, dict) for rate in rates):
        raise UnusableStripeObject("tax_rates", "are only ids")
    percentages = [
        decimal(rate.get("percentage"), "tax_rates.percentage")
        for rate in rates
        if rate.get("inclusive")
    ]
    return sum(percentages, _NO_TAX) / 100


def _unit_amount(price: Mapping[str, Any], where: str) -> int | Fraction:
    """Return the price of a unit; fractions of a minor unit are in a decimal text field."""
    for name in ("unit_amount", "amount"):
        if price.get(name) is not None:
            return whole(price, name, where)
    for name in ("unit_amount_decimal", "amount_decimal"):
        if price.get(name) is not None:
            return decimal(price[name], f"{where}.{name}")
    raise UnusableStripeObject(f"{where}.unit_amount", "is missing")


def _tiers(price: Mapping[str, Any]) -> tuple[TiersMode, tuple[Tier, ...]]:
    rows = price.get("tiers")
    if not rows:
        raise UnusableStripeObject("items.price.tiers", "are missing: the price must be expanded")
    try:
        mode = TiersMode(price.get("tiers_mode") or "")
    except ValueError as error:
        raise UnusableStripeObject(
            "items.price.tiers_mode", f"{price.get('tiers_mode')!r}"
        ) from error
    where = "items.price.tiers"
    tiers = [
        Tier(
            up_to=None if row.get("up_to") in {None, "inf"} else whole(row, "up_to", where),
            unit_amount=_either(row, "unit_amount", "amount", where=where),
            flat_amount=_either(row, "flat_amount", where=where),
        )
        for row in rows
    ]
    return mode, tuple(sorted(tiers, key=lambda tier: (tier.up_to is None, tier.up_to or 0)))


def _either(row: Mapping[str, Any], *names: str, where: str) -> Fraction:
    for name in names:
        if row.get(name) is not None:
            return Fraction(whole(row, name, where))
        if row.get(f"{name}_decimal") is not None:
            return decimal(row[f"{name}_decimal"], f"{where}.{name}_decimal")
    return Fraction(0)

"""A shop at Stripe, as plain values, and the events that Stripe would send about it.

It knows nothing of Plumbline. Times are Unix seconds, amounts minor units.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Price:
    """The price of every `count` intervals, by currency; `tiers` are (up to, unit, flat)."""

    id: str
    product: str
    amounts: Mapping[str, int]  # the first is the price's own currency
    interval: str = "month"
    count: int = 1
    tiers: tuple[tuple[int | None, int, int], ...] = ()
    metered: bool = False


@dataclass(frozen=True)
class Coupon:
    id: str
    percent: int = 0
    amounts: Mapping[str, int] = field(default_factory=dict)
    duration: str = "forever"
    products: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discount:
    id: str
    coupon: Coupon
    start: int
    end: int | None


@dataclass(frozen=True)
class Tax:
    percentage: int
    inclusive: bool


@dataclass(frozen=True)
class Item:
    id: str
    price: Price
    quantity: int = 1
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True)
class Customer:
    id: str
    discount: Discount | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Subscription:
    id: str
    customer: str
    currency: str
    created: int
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    status: str = "active"
    ended_at: int | None = None


Thing = Customer | Subscription


class Shop:
    """The versions of customers and subscriptions, in the order in which they came to be."""

    def __init__(self, *, coupons_as_ids: bool = False) -> None:
        self.versions: list[tuple[int, Thing]] = []
        self._coupons_as_ids = coupons_as_ids

    def put(self, moment: int, thing: Thing) -> None:
        self.versions.append((moment, thing))

    def change(self, moment: int, thing: Thing, **changes: Any) -> None:
        if (changed := replace(thing, **changes)) != thing:
            self.put(moment, changed)

    def at(self, moment: int) -> dict[str, Thing]:
        """Return what there is at a time, by id."""
        return {thing.id: thing for since, thing in self.versions if since <= moment}

    def objects(self) -> Iterator[Json]:
        """Yield what Stripe has at the end."""
        for thing in {thing.id: thing for _, thing in self.versions}.values():
            deleted = isinstance(thing, Customer) and thing.deleted
            yield self._json(thing) | ({"deleted": True} if deleted else {})

    def events(self) -> Iterator[Json]:
        """Yield Stripe's events, in order; their ids are in none."""
        before: dict[str, Json] = {}
        for number, (moment, thing) in enumerate(self.versions):
            name = "customer" if isinstance(thing, Customer) else "customer.subscription"
            now, earlier = self._json(thing), before.get(thing.id)
            over = isinstance(thing, Customer) and thing.deleted
            over |= isinstance(thing, Subscription) and thing.ended_at is not None
            verb = "deleted" if over else "updated" if earlier else "created"
            event: Json = {"id": f"evt_{number * 7919 % 1009:04}", "object": "event"}
            event |= {"type": f"{name}.{verb}", "created": moment, "data": {"object": now}}
            if verb == "updated" and earlier:
                previous = {key: earlier[key] for key in now if earlier[key] != now[key]}
                event["data"]["previous_attributes"] = previous
            before[thing.id] = now
            yield event

    def _json(self, thing: Thing) -> Json:
        return self._customer(thing) if isinstance(thing, Customer) else self._subscription(thing)

    def _customer(self, customer: Customer) -> Json:
        own = customer.discount
        discount = self._discount(own) if own else None
        return {"id": customer.id, "object": "customer", "created": 1, "discount": discount}

    def _subscription(self, own: Subscription) -> Json:
        items = [self._item(item) for item in own.items]
        moments = {"created": own.created, "start_date": own.created, "canceled_at": own.ended_at}
        return {
            "id": own.id,
            "object": "subscription",
            "customer": own.customer,
            "currency": own.currency,
            "status": own.status,
            "items": {"object": "list", "data": items, "has_more": False},
            "discounts": [self._discount(row) for row in own.discounts],
            "default_tax_rates": [_tax(row) for row in own.taxes],
            "cancel_at_period_end": False,
            "pause_collection": None,
            "ended_at": own.ended_at,
            **moments,
            **dict.fromkeys(("trial_start", "trial_end", "cancel_at")),
        }

    def _item(self, item: Item) -> Json:
        """Return an item as Stripe embeds it: its price has neither tiers nor other currencies."""
        price = {
            name: value
            for name, value in price_json(item.price).items()
            if name not in {"tiers", "currency_options"}
        }
        return {
            "id": item.id,
            "object": "subscription_item",
            "price": price,
            "quantity": None if item.price.metered else item.quantity,
            "discounts": [self._discount(row) for row in item.discounts],
            "tax_rates": [_tax(row) for row in item.taxes],
        }

    def _discount(self, discount: Discount) -> Json:
        """Return a discount as Stripe embeds it: of its coupon only the id, or not everything."""
        own: Json = {"id": discount.id, "object": "discount", "start": discount.start}
        own["end"] = discount.end
        if self._coupons_as_ids:  # since 2025
            return own | {"source": {"type": "coupon", "coupon": discount.coupon.id}}
        embedded = coupon_json(discount.coupon)
        del embedded["applies_to"], embedded["currency_options"]
        return own | {"coupon": embedded}


def price_json(price: Price) -> Json:
    """Return a price with all that must be expanded."""
    (currency, amount), *others = price.amounts.items()
    usage = "metered" if price.metered else "licensed"
    recurring = {"interval": price.interval, "interval_count": price.count, "usage_type": usage}
    names = "up_to", "unit_amount", "flat_amount"
    tiers = [dict(zip(names, tier, strict=True)) for tier in price.tiers]
    return {
        "id": price.id,
        "object": "price",
        "type": "recurring",
        "active": True,
        "product": price.product,
        "currency": currency,
        "unit_amount": None if tiers else amount,
        "currency_options": {name: {"unit_amount": other} for name, other in others},
        "recurring": recurring,
        "billing_scheme": "tiered" if tiers else "per_unit",
        "tiers_mode": "graduated" if tiers else None,
        "tiers": tiers,
    }


def coupon_json(coupon: Coupon) -> Json:
    """Return a coupon with all that must be expanded."""
    (currency, amount), *others = coupon.amounts.items() or [(None, None)]
    return {
        "id": coupon.id,
        "object": "coupon",
        "duration": coupon.duration,
        "duration_in_months": 2 if coupon.duration == "repeating" else None,
        "percent_off": coupon.percent or None,
        "amount_off": amount,
        "currency": currency,
        "currency_options": {name: {"amount_off": other} for name, other in others},
        "applies_to": {"products": list(coupon.products)} if coupon.products else None,
        "valid": True,
    }


def _tax(tax: Tax) -> Json:
    own = {"id": f"txr_{tax.percentage}_{tax.inclusive}", "object": "tax_rate"}
    return own | {"percentage": tax.percentage, "inclusive": tax.inclusive, "active": True}

"""Coupons on subscriptions: when they apply, and amounts after them."""

from collections.abc import Iterable
from typing import Any

from devstack.fake_stripe.catalogue import pricing
from devstack.fake_stripe.catalogue.currencies import coupon_in, price_of
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params, hash_of, list_of, text
from devstack.fake_stripe.state import StripeState

DISCOUNTS = list_of(hash_of({"coupon": text, "discount": text}))


def check(state: StripeState, requested: Iterable[Params]) -> None:
    """Raise for coupons that cannot be used, before anything is changed."""
    for position, wanted in enumerate(requested):
        if not wanted.get("discount"):
            usable_coupon(state, wanted.get("coupon"), f"discounts[{position}][coupon]")


def replace(state: StripeState, subscription: Object, requested: Iterable[Params]) -> None:
    """Replace the subscription's discounts."""
    kept = []
    for position, wanted in enumerate(requested):
        if wanted.get("discount") in subscription["discounts"]:
            kept.append(wanted["discount"])
        else:
            coupon = usable_coupon(state, wanted.get("coupon"), f"discounts[{position}][coupon]")
            kept.append(_new(state, subscription, coupon)["id"])
    for old in set(subscription["discounts"]) - set(kept):
        _end(state, old)
    subscription["discounts"] = kept


def usable_coupon(state: StripeState, coupon_id: Any, param: str) -> Object:
    coupon: Object = state.find("coupon", str(coupon_id), param)
    used_up = coupon["max_redemptions"] and coupon["times_redeemed"] >= coupon["max_redemptions"]
    too_late = coupon["redeem_by"] and state.now() > coupon["redeem_by"]
    if not coupon["valid"] or used_up or too_late:
        raise StripeError(f"Coupon expired: {coupon_id}", code="coupon_expired", param=param)
    return coupon


def coupons_at(state: StripeState, subscription: Object, moment: int) -> list[tuple[str, Object]]:
    """Return the discounts that apply at a moment, each with its coupon."""
    discounts = [state.get("discount", discount) for discount in subscription["discounts"]]
    unit = subscription["currency"]
    return [
        (discount["id"], coupon_in(state.get("coupon", discount["source"]["coupon"]), unit))
        for discount in discounts
        if discount["end"] is None or moment < discount["end"]
    ]


def reductions(coupons: Iterable[tuple[str, Object]], subtotal: int) -> list[Object]:
    """Return `total_discount_amounts`: each coupon applies to what the earlier ones left."""
    taken: list[Object] = []
    for discount, coupon in coupons:
        off = pricing.reduction(coupon, subtotal)
        subtotal -= off
        taken.append({"amount": off, "discount": discount})
    return taken


def after_discounts(state: StripeState, subscription: Object, amount: int, moment: int) -> int:
    """Return a prorated part of the subscription's price, less its share of the discounts."""
    items = [state.get("subscription_item", item) for item in subscription["_items"]]
    gross = sum(
        pricing.amount(price_of(state, item), item["quantity"])
        for item in items
        if item["quantity"] is not None
    )
    coupons = coupons_at(state, subscription, moment)
    off = sum(taken["amount"] for taken in reductions(coupons, gross))
    return pricing.share(amount, gross - off, gross)


def drop_used(state: StripeState, subscription: Object, moment: int) -> None:
    """Remove expired discounts: `once` after an invoice, others at their end."""
    active = coupons_at(state, subscription, moment)
    left = [discount for discount, coupon in active if coupon["duration"] != "once"]
    for over in set(subscription["discounts"]) - set(left):
        _end(state, over)
    subscription["discounts"] = left


def _new(state: StripeState, subscription: Object, coupon: Object) -> Object:
    now = state.now(subscription)
    months = coupon["duration_in_months"]
    fields: Object = dict.fromkeys(("checkout_session", "invoice", "invoice_item"))
    fields |= {"customer": subscription["customer"], "promotion_code": None, "start": now}
    fields |= {"end": pricing.add(now, "month", months) if months else None}
    fields |= {"source": {"type": "coupon", "coupon": coupon["id"]}}
    fields |= {"subscription": subscription["id"], "subscription_item": None}
    discount = state.new("discount", "di", fields)
    for none_of_its_own in ("created", "livemode", "metadata"):
        del discount[none_of_its_own]
    coupon["times_redeemed"] += 1
    if coupon["times_redeemed"] == coupon["max_redemptions"]:
        coupon["valid"] = False
    state.emit("customer.discount.created", discount)
    return discount


def _end(state: StripeState, discount_id: str) -> None:
    state.emit("customer.discount.deleted", state.get("discount", discount_id))

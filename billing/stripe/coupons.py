"""Give coupons to people: each on the subscription that they pay for, once for each gift."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from analytics.models import Person
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.stripe import gateway, subscription_changes, subscriptions
from common.locks import try_session_lock

Json = dict[str, Any]

_BILLED = frozenset({"active", "trialing", "past_due"})


class CouponRefused(Exception):
    """The coupon cannot be given now; the text says why."""


def give(person: Person, coupon_id: str, *, gift: UUID) -> None:
    """Add a coupon to the person's newest subscription that is not ending.

    Stripe keeps a key only for a day, so a note in the subscription's metadata says for all time
    that the gift was given: a process that dies before it stores that does not give it twice.
    """
    note = f"coupon_{gift.hex}"  # Stripe allows 40 characters
    rows = subscriptions.all_of(person)
    if any(_has(row, note) for row in rows):
        return
    billed = [row for row in subscriptions.current(person) if _is_billed(row)]
    if not billed:
        raise CouponRefused("The inviter has no subscription that continues.")
    subscription_id = billed[0]["id"]
    # Discounts are replaced as a whole: two gifts at once would lose the first.
    with try_session_lock(f"coupons of {subscription_id}") as acquired:
        if not acquired:
            raise CouponRefused("Another coupon is being added to the subscription.")
        try:
            _add(subscription_id, coupon_id, note=note, key=str(gift))
        except (gateway.StripeProblem, UnusableStripeObject) as problem:
            raise CouponRefused(str(problem)) from problem


def _add(subscription_id: str, coupon_id: str, *, note: str, key: str) -> None:
    subscription = gateway.fetch("subscription", subscription_id)
    if subscription is None or not _is_billed(subscription):
        raise CouponRefused("The inviter's subscription has ended.")
    if _has(subscription, note):
        return
    own = subscription.get("discounts") or []
    if coupon_id in {_coupon_of(discount) for discount in own}:
        raise CouponRefused("The subscription has this coupon: the next one waits until it ends.")
    customer = gateway.fetch("customer", customer_of(subscription)) or {}
    if not own and customer.get("discount"):  # which one on the subscription would replace
        raise CouponRefused("The customer has a discount, which the coupon would replace.")
    subscription_changes.add_coupon(subscription, coupon_id, note=note, key=key)


def problem_of(coupon_id: str) -> str:
    """Return why a coupon cannot be given to anyone, "" if it can be."""
    try:
        coupon = gateway.fetch("coupon", coupon_id)
    except gateway.StripeProblem as problem:
        return str(problem)
    if coupon is None:
        return f"Stripe has no coupon {coupon_id!r}."
    return "" if coupon.get("valid") else f"The coupon {coupon_id!r} has expired."


def _is_billed(subscription: Json) -> bool:
    ending = subscription.get("cancel_at_period_end") or subscription.get("cancel_at")
    return subscription.get("status") in _BILLED and not ending


def _has(subscription: Json, note: str) -> bool:
    return note in (subscription.get("metadata") or {})


def _coupon_of(discount: Any) -> str:
    source = discount.get("source") if isinstance(discount, Mapping) else None
    coupon = (source or {}).get("coupon")
    return id_of(coupon, "discounts.source.coupon") if coupon else ""

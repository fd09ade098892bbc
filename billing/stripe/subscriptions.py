"""What a person subscribes to, and how that is bought, changed, ended and taken up again.

Stripe decides and keeps; what it answers is stored at once, so that limits and the ledger follow
before its webhook comes. `key` is the caller's idempotency key, passed on to Stripe.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from analytics.models import Person
from analytics.people.persons import find_person
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_price import price_of
from billing.models import Plan
from billing.stripe import customers, events, gateway

Json = dict[str, Any]

_LIVING = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})


class InvalidSubscriptionRequest(ValueError):
    """What is asked for cannot be; `field` says what of it is wrong."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class SubscriptionConflict(Exception):
    """What is asked for does not fit what the person has."""


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """Another price, another quantity, or both; None leaves it as it is."""

    price_id: str | None
    quantity: int | None
    proration_behavior: str
    proration_date: int | None  # Unix seconds; None: now


def person_of(distinct_id: str) -> Person:
    person = find_person(distinct_id)
    if person is None:
        raise InvalidSubscriptionRequest("distinct_id", f"Nobody is known by {distinct_id!r}.")
    return person


def price_id_of(*, plan: str | None, price: str | None) -> str:
    """Return the price that is asked for, by itself or as the first one of a plan."""
    if plan and price:
        raise InvalidSubscriptionRequest("plan", "Name a plan or a price, not both.")
    if plan:
        found = Plan.objects.filter(slug=plan).first()
        if found is None:
            raise InvalidSubscriptionRequest("plan", f"There is no plan {plan!r}.")
        first = found.prices.order_by("pk").first()
        if first is None:
            raise InvalidSubscriptionRequest("plan", f"The plan {plan!r} has no Stripe price.")
        return first.price_id
    if not price:
        raise InvalidSubscriptionRequest("plan", "Name a plan or a price.")
    known = gateway.stored("price", price) or gateway.refresh("price", price)
    if known is None:
        raise InvalidSubscriptionRequest("price", f"Stripe knows no price {price!r}.")
    if not known.get("active") or known.get("deleted"):
        raise InvalidSubscriptionRequest("price", f"The price {price!r} is not sold any more.")
    if not known.get("recurring"):
        raise InvalidSubscriptionRequest(
            "price", f"The price {price!r} is paid once, not by a subscription."
        )
    return price


def living(person: Person) -> list[Json]:
    """Return the subscriptions of a person that are not over, the newest first."""
    found = [one for one in all_of(person) if one.get("status") in _LIVING]
    return sorted(found, key=lambda one: one.get("created") or 0, reverse=True)


def all_of(person: Person) -> list[Json]:
    customer_ids = gateway.customer_ids_of(person.pk)
    return list(gateway.subscriptions_of(customer_ids)) if customer_ids else []


def the_one(person: Person, subscription_id: str | None) -> Json:
    """Return the subscription that is meant: the named one, or the only one there is."""
    found = living(person)
    if subscription_id:
        found = [one for one in found if one["id"] == subscription_id]
        if not found:
            raise InvalidSubscriptionRequest(
                "subscription", f"They have no subscription {subscription_id!r}."
            )
    if not found:
        raise SubscriptionConflict(
            "They have no subscription: send them through a checkout session."
        )
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        raise SubscriptionConflict(
            f"They have several subscriptions; name one as `subscription`: {ids}."
        )
    return found[0]


def checkout_session(
    person: Person,
    distinct_id: str,
    price_id: str,
    *,
    quantity: int | None = 1,
    success_url: str = "",
    cancel_url: str = "",
    key: str = "",
    trial_days: int | None = None,
    **more: Any,
) -> Json:
    """Return a new checkout session of Stripe's, for who subscribes to nothing yet."""
    if found := living(person):
        raise SubscriptionConflict(
            f"They have a subscription already ({found[0]['id']}): use change-plan."
        )
    line: Json = {"price": price_id} | ({"quantity": quantity} if quantity else {})
    details: Json = {"metadata": {customers.METADATA: distinct_id}}
    if trial_days:
        details["trial_period_days"] = trial_days
    return gateway.call(
        "post",
        "/v1/checkout/sessions",
        idempotency_key=key,
        mode="subscription",
        customer=customers.customer_of(person, distinct_id),
        client_reference_id=distinct_id,
        line_items=[line],
        metadata={customers.METADATA: distinct_id},
        subscription_data=details,
        success_url=success_url or return_url("checkout-done"),
        cancel_url=cancel_url or return_url("checkout-cancelled"),
        **more,
    )


def portal_session(person: Person, *, back_to: str = "", key: str = "") -> Json:
    """Return a session of Stripe's customer portal."""
    paying = [customer_of(one) for one in living(person)]
    customer_ids = paying or gateway.customer_ids_of(person.pk)
    if not customer_ids:
        raise SubscriptionConflict(
            "They are no customer at Stripe yet: send them through a checkout session."
        )
    return gateway.call(
        "post",
        "/v1/billing_portal/sessions",
        idempotency_key=key,
        customer=customer_ids[0],
        return_url=back_to or return_url("checkout-done"),
    )


def return_url(page: str) -> str:
    """Return where people come back to from Stripe: the product, or else a page of ours."""
    ours = settings.PLUMBLINE_URL + reverse(f"billing:{page}")
    return settings.PLUMBLINE_CHECKOUT_RETURN_URL or ours


def preview(of: Json, change: SubscriptionChange, *, item: str | None = None) -> Json:
    """Return the invoice that a change would bring; nothing is changed."""
    details = _asked(of, change, item)
    return gateway.call(
        "post",
        "/v1/invoices/create_preview",
        customer=customer_of(of),
        subscription=of["id"],
        subscription_details=details,
    )


def change_plan(
    of: Json, change: SubscriptionChange, *, item: str | None = None, key: str = ""
) -> Json:
    """Change what is subscribed to; a payment that fails leaves everything as it was."""
    return _changed(
        of, "post", key, **_asked(of, change, item), payment_behavior="error_if_incomplete"
    )


def cancel(of: Json, *, now: bool, key: str = "") -> Json:
    """End a subscription now, or when what is paid for is over."""
    if now:
        return _changed(of, "delete", key)
    return _changed(of, "post", key, cancel_at_period_end=True)


def resume(of: Json, *, key: str = "") -> Json:
    """Take a scheduled end back, or take up again what was paused."""
    if of.get("status") == "paused":
        return _changed(of, "post", key, path="/resume")
    if of.get("cancel_at_period_end"):
        return _changed(of, "post", key, cancel_at_period_end=False)
    if of.get("cancel_at"):
        return _changed(of, "post", key, cancel_at="")
    if of.get("pause_collection"):
        return _changed(of, "post", key, pause_collection="")
    raise SubscriptionConflict("It neither ends nor is it paused: there is nothing to resume.")


def period_of(of: Json, edge: str) -> datetime | None:
    """Return the `start` or `end` of the current period; since 2025 its items have it."""
    name = f"current_period_{edge}"
    rows = (of.get("items") or {}).get("data") or []
    seconds = of.get(name) or (rows[0].get(name) if rows else None)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def items_of(of: Json) -> list[Json]:
    return list((of.get("items") or {}).get("data") or [])


def _asked(of: Json, change: SubscriptionChange, item: str | None) -> Json:
    """Return Stripe's parameters of a change."""
    row = _item(of, item)
    if change.price_id in {None, price_of(row).get("id")} and change.quantity in {
        None,
        row.get("quantity"),
    }:
        raise SubscriptionConflict("They have that already.")
    wanted: Json = {"id": row["id"]}
    if change.price_id:
        wanted["price"] = change.price_id
    if change.quantity is not None:
        wanted["quantity"] = change.quantity
    asked: Json = {"items": [wanted], "proration_behavior": change.proration_behavior}
    if change.proration_date is not None:
        asked["proration_date"] = change.proration_date
    return asked


def _item(of: Json, item_id: str | None) -> Json:
    rows = items_of(of)
    if item_id:
        rows = [row for row in rows if row.get("id") == item_id]
        if not rows:
            raise InvalidSubscriptionRequest("item", f"The subscription has no item {item_id!r}.")
    if len(rows) > 1:
        ids = ", ".join(row["id"] for row in rows)
        raise SubscriptionConflict(
            f"The subscription has several items; name one as `item`: {ids}."
        )
    if not rows:
        raise SubscriptionConflict("The subscription has no items.")
    return rows[0]


def _changed(of: Json, method: str, key: str, *, path: str = "", **parameters: Any) -> Json:
    """Change a subscription at Stripe, keep what it is now, and let the ledger follow."""
    found = gateway.call(
        method, f"/v1/subscriptions/{of['id']}{path}", idempotency_key=key, **parameters
    )
    found = gateway.refresh("subscription", found["id"]) or found
    events.enqueue_update(customer_of(found))
    return found

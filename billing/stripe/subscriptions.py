"""A person's subscriptions as stored, and the price to sell for a request."""

from typing import Any

from analytics.models import Person
from analytics.people.proving import person_named
from billing.models import Plan
from billing.stripe import customers, gateway

Json = dict[str, Any]

_CURRENT = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})


class InvalidSubscriptionRequest(ValueError):
    """The request cannot be fulfilled; `field` is its invalid part."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class SubscriptionConflict(Exception):
    """The request does not fit the person's current subscriptions."""


def proved_person_of(distinct_id: str) -> Person:
    """Return the person that the company's code named; raise `InvalidSubscriptionRequest`.

    Its Stripe customers are linked, also those that were there before the person.
    """
    person = person_named(distinct_id)
    if person is None:
        raise InvalidSubscriptionRequest("distinct_id", f"No person has the id {distinct_id!r}.")
    customers.link_late(distinct_ids=[distinct_id])
    return person


def price_id_of(*, plan: str | None, price: str | None) -> str:
    """Return the requested price: named directly, or the first price of a plan."""
    if plan and price:
        raise InvalidSubscriptionRequest("plan", "Provide a plan or a price, not both.")
    if plan:
        return _first_price_of(plan)
    if not price:
        raise InvalidSubscriptionRequest("plan", "Provide a plan or a price.")
    stored = gateway.stored("price", price) or gateway.refresh("price", price)
    if stored is None:
        raise InvalidSubscriptionRequest("price", f"Stripe has no price {price!r}.")
    if not stored.get("active") or stored.get("deleted"):
        raise InvalidSubscriptionRequest("price", f"The price {price!r} is no longer sold.")
    if not stored.get("recurring"):
        raise InvalidSubscriptionRequest(
            "price", f"The price {price!r} is a one-time price, not for subscriptions."
        )
    return price


def is_metered(price_id: str) -> bool:
    """Return whether a stored price bills what was used, so that it has no quantity."""
    recurring = (gateway.stored("price", price_id) or {}).get("recurring") or {}
    return bool(recurring.get("usage_type") == "metered")


def _first_price_of(slug: str) -> str:
    plan = Plan.objects.filter(slug=slug).first()
    if plan is None:
        raise InvalidSubscriptionRequest("plan", f"There is no plan {slug!r}.")
    price = plan.prices.order_by("pk").first()
    if price is None:
        raise InvalidSubscriptionRequest("plan", f"The plan {slug!r} has no Stripe price.")
    return price.price_id


def current(person: Person) -> list[Json]:
    """Return the subscriptions of a person that have not ended, newest first."""
    rows = [row for row in all_of(person) if row.get("status") in _CURRENT]
    return sorted(rows, key=lambda row: row.get("created") or 0, reverse=True)


def all_of(person: Person) -> list[Json]:
    customer_ids = gateway.customer_ids_of(person.pk)
    return list(gateway.subscriptions_of(customer_ids)) if customer_ids else []


def requested(person: Person, subscription_id: str | None) -> Json:
    """Return the named subscription, or the only one that the person has."""
    rows = current(person)
    if subscription_id:
        rows = [row for row in rows if row["id"] == subscription_id]
        if not rows:
            raise InvalidSubscriptionRequest(
                "subscription", f"The person has no subscription {subscription_id!r}."
            )
    if not rows:
        raise SubscriptionConflict("The person has no subscription: create a checkout session.")
    if len(rows) > 1:
        ids = ", ".join(row["id"] for row in rows)
        raise SubscriptionConflict(
            f"The person has several subscriptions. Choose one with `subscription`: {ids}."
        )
    return rows[0]

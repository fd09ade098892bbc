"""`/v1/subscriptions`: changing, canceling and resuming."""

from typing import Any

from devstack.fake_stripe.catalogue import pricing
from devstack.fake_stripe.customers import existing_customer
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.invoicing import usage
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    hash_of,
    integer,
    list_of,
    text,
    unsettable,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import changes, planned_items, prorations, subscriptions
from devstack.fake_stripe.subscriptions.creation import COMMON

_FEEDBACK = """
    customer_service low_quality missing_features other switched_service
    too_complex too_expensive unused
""".split()
_DETAILS = hash_of({"comment": text, "feedback": unsettable(choice(*_FEEDBACK))})


@route(
    "POST",
    "/v1/subscriptions/{id}",
    {
        **COMMON,
        "billing_cycle_anchor": choice("now", "unchanged"),
        "cancellation_details": _DETAILS,
        "items": list_of(hash_of(planned_items.ITEM)),
        "pause_collection": unsettable(
            hash_of(
                {
                    "behavior": Required(choice("keep_as_draft", "mark_uncollectible", "void")),
                    "resumes_at": integer,
                }
            )
        ),
        "proration_date": integer,
    },
)
def update_subscription(state: StripeState, params: Params, subscription_id: str) -> Object:
    subscription: Object = state.find("subscription", subscription_id, in_path=True)
    refuse_ended(subscription, allowed={"metadata", "cancellation_details"}, requested=params)
    with state.changing(subscription, "customer.subscription.updated"):
        changes.apply(state, subscription, params)
    return subscription


@route(
    "DELETE",
    "/v1/subscriptions/{id}",
    {"cancellation_details": _DETAILS, "invoice_now": boolean, "prorate": boolean},
)
def cancel_subscription(state: StripeState, params: Params, subscription_id: str) -> Object:
    subscription: Object = state.find("subscription", subscription_id, in_path=True)
    refuse_ended(subscription)
    now = state.now(subscription)
    if params.get("prorate"):
        changes.credit_unused(state, subscription, now)
    if params.get("invoice_now"):
        lines = usage.lines(
            state, subscription, subscriptions.period_of(state, subscription)[0], now
        )
        lines += prorations.pending_lines(state, subscription)
        if lines:
            subscriptions.bill(state, subscription, "subscription_update", lines)
    elif not params.get("prorate"):
        prorations.drop_pending(state, subscription)
    details: dict[str, Any] = params.get("cancellation_details", {})
    subscriptions.cancel(state, subscription, "cancellation_requested", **details)
    return subscription


@route(
    "POST",
    "/v1/subscriptions/{id}/resume",
    {
        "billing_cycle_anchor": choice("now", "unchanged"),
        "proration_behavior": choice(*changes.PRORATION),
    },
)
def resume_subscription(state: StripeState, params: Params, subscription_id: str) -> Object:
    """Resume a subscription that paused when its trial ended without a payment method."""
    subscription: Object = state.find("subscription", subscription_id, in_path=True)
    if subscription["status"] != "paused":
        raise StripeError(
            f"You can only resume a paused subscription; this one is {subscription['status']}."
        )
    with state.changing(subscription, "customer.subscription.resumed"):
        now = state.now(subscription)
        recurring = subscriptions.recurring_of(state, subscription)
        subscription |= {"status": "active", "billing_cycle_anchor": now}
        end = pricing.period_end(now, recurring, now)
        subscriptions.set_period(state, subscription, now, end)
        lines = subscriptions.advance_lines(state, subscription)
        subscriptions.bill(state, subscription, "subscription_update", lines)
    return subscription


def refuse_ended(
    subscription: Object, allowed: set[str] | None = None, requested: Params | None = None
) -> None:
    """Raise if the subscription has ended."""
    over = subscription["status"] in {"canceled", "incomplete_expired"}
    if over and (requested is None or set(requested) - (allowed or set())):
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="resource_missing" if requested is None else "",
            status=404 if requested is None else 400,
        )


_STATUSES = """
    active all canceled ended incomplete incomplete_expired past_due paused trialing unpaid
""".split()
_LIST = {"customer": text, "price": text, "status": choice(*_STATUSES), "test_clock": text}


@route("GET", "/v1/subscriptions", {**PAGE, **_LIST, "collection_method": text})
def list_subscriptions(state: StripeState, params: Params) -> Object:
    """List subscriptions; ended ones only if requested."""
    status, price = params.pop("status", None), params.pop("price", None)
    over = {"canceled", "incomplete_expired"}
    wanted = {"all": None, "ended": over, None: set(_STATUSES) - {"canceled"}}.get(status, {status})
    filters = {name: params[name] for name in _LIST if params.get(name) is not None}
    matching = [
        subscription
        for subscription in state.within("subscription", params, filters)
        if wanted is None or subscription["status"] in wanted
        if not price
        or any(item["price"] == price for item in subscriptions.items_of(state, subscription))
    ]
    return state.list_page("subscription", matching[::-1], "/v1/subscriptions", params)


readable("subscription", "/v1/subscriptions")


@route("DELETE", "/v1/customers/{id}")
def delete_customer(state: StripeState, params: Params, customer_id: str) -> Object:
    """Delete a customer and end its subscriptions."""
    customer = existing_customer(state, customer_id, "id", in_path=True)
    for subscription in state.all("subscription", customer=customer_id):
        if subscription["status"] not in {"canceled", "incomplete_expired"}:
            subscriptions.cancel(state, subscription, "cancellation_requested")
    state.emit("customer.deleted", customer)
    customer["deleted"] = True
    return customer

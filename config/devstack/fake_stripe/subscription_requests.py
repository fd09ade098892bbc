"""`/v1/subscriptions`: creating, changing, cancelling and resuming."""

from typing import Any

from config.devstack.fake_stripe import (
    changes,
    discounts,
    pricing,
    prorations,
    subscriptions,
    usage,
)
from config.devstack.fake_stripe.customers import living, merge, method_of
from config.devstack.fake_stripe.errors import StripeError, card_declined, missing
from config.devstack.fake_stripe.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    either,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    text,
    unsettable,
)
from config.devstack.fake_stripe.routes import readable, route
from config.devstack.fake_stripe.state import Object, State

_DAY = 86400
_END_BEHAVIOR = hash_of(
    {"missing_payment_method": Required(choice("cancel", "create_invoice", "pause"))}
)
_FEEDBACK = ("customer_service", "low_quality", "missing_features", "other", "switched_service")
_FEEDBACK += ("too_complex", "too_expensive", "unused")
_DETAILS = hash_of({"comment": text, "feedback": unsettable(choice(*_FEEDBACK))})
_COMMON = {
    "cancel_at": unsettable(integer),
    "cancel_at_period_end": boolean,
    "collection_method": choice("charge_automatically", "send_invoice"),
    "days_until_due": natural,
    "default_payment_method": text,
    "description": text,
    "discounts": discounts.DISCOUNTS,
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": choice("allow_incomplete", "default_incomplete", "error_if_incomplete"),
    "proration_behavior": choice(*changes.PRORATION),
    "trial_end": either("now", integer),
    "trial_settings": hash_of({"end_behavior": Required(_END_BEHAVIOR)}),
}


@route(
    "POST",
    "/v1/subscriptions",
    {
        **_COMMON,
        "currency": text,
        "customer": Required(text),
        "items": Required(
            list_of(hash_of({"price": Required(text), "quantity": natural, "metadata": metadata}))
        ),
        "trial_period_days": natural,
    },
)
def create_subscription(state: State, params: Params) -> Object:
    customer = living(state, params["customer"], "customer")
    prices = changes.prices_of(state, params["items"])
    _check_payment(state, customer, params)
    subscription = new_subscription(state, customer, prices, params)
    for price, given in zip(prices, params["items"], strict=True):
        subscriptions.add_item(state, subscription, price, given)
    discounts.replace(state, subscription, params.get("discounts", []))
    subscriptions.start(state, subscription)
    if params.get("cancel_at_period_end") or params.get("cancel_at"):
        changes.plan_end(state, subscription, params)
    return subscription


def new_subscription(
    state: State, customer: Object, prices: list[Object], params: Params
) -> Object:
    now = state.now(customer)
    trial_end = _trial_end(params, now)
    fields: Object = dict.fromkeys(
        "application application_fee_percent cancel_at canceled_at".split()
    )
    fields |= dict.fromkeys("billing_cycle_anchor_config billing_thresholds ended_at".split())
    fields |= dict.fromkeys("customer_account default_source latest_invoice schedule".split())
    fields |= dict.fromkeys(
        "next_pending_invoice_item_invoice on_behalf_of pause_collection".split()
    )
    fields |= dict.fromkeys("pending_invoice_item_interval pending_setup_intent".split())
    fields |= dict.fromkeys("pending_update transfer_data".split())
    fields |= {"automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None}}
    fields |= {"billing_mode": {"type": "classic", "flexible": None}, "default_tax_rates": []}
    fields |= {"cancel_at_period_end": False, "customer": customer["id"], "created": now}
    fields |= {"cancellation_details": dict.fromkeys(("comment", "feedback", "reason"))}
    fields |= {"collection_method": params.get("collection_method", "charge_automatically")}
    fields |= {name: params.get(name) for name in ("days_until_due", "description")}
    fields |= {"currency": prices[0]["currency"], "discounts": [], "_items": []}
    fields |= {"default_payment_method": params.get("default_payment_method")}
    fields |= {"invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}}}
    fields |= {"metadata": params.get("metadata", {}), "test_clock": customer["test_clock"]}
    settings: Object = dict.fromkeys(("payment_method_options", "payment_method_types"))
    fields |= {"payment_settings": settings | {"save_default_payment_method": "off"}}
    fields |= {"start_date": now, "billing_cycle_anchor": trial_end or now}
    fields |= {"status": "trialing" if trial_end else "active"}
    fields |= {"trial_start": now if trial_end else None, "trial_end": trial_end}
    ends = {"end_behavior": {"missing_payment_method": "create_invoice"}}
    fields |= {"trial_settings": params.get("trial_settings") or ends}
    if params.get("payment_behavior") == "default_incomplete":
        fields["_wait_for_payment"] = True
    customer["currency"] = customer["currency"] or fields["currency"]
    return state.new("subscription", "sub", fields)


def _trial_end(params: Params, now: int) -> int | None:
    if days := params.get("trial_period_days"):
        if params.get("trial_end"):
            raise StripeError("You may only specify one of trial_end and trial_period_days.")
        return int(now + days * _DAY)
    end = params.get("trial_end")
    if end in (None, "now"):
        return None
    if end <= now:
        raise StripeError("Invalid timestamp: must be in the future.", param="trial_end")
    return int(end)


def _check_payment(state: State, customer: Object, params: Params) -> None:
    """Refuse what could not be charged, as Stripe does before anything is made."""
    if chosen := params.get("default_payment_method"):
        method = state.find("payment_method", chosen, "default_payment_method")
        if method["customer"] != customer["id"]:
            raise StripeError(
                f"The customer does not have a payment method with the ID {chosen}.",
                param="default_payment_method",
            )
    if params.get("collection_method") == "send_invoice":
        if "days_until_due" not in params:
            raise missing("days_until_due")
        return
    behavior = params.get("payment_behavior", "allow_incomplete")
    trial = params.get("trial_period_days") or params.get("trial_end") not in (None, "now")
    if trial or behavior == "default_incomplete":
        return
    found = method_of(state, customer, {"default_payment_method": chosen})
    prices = changes.prices_of(state, params["items"])
    if found is None and any(price["unit_amount"] != 0 for price in prices):
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    if found and found["_declines"] and behavior == "error_if_incomplete":
        raise card_declined()


@route(
    "POST",
    "/v1/subscriptions/{id}",
    {
        **_COMMON,
        "billing_cycle_anchor": choice("now", "unchanged"),
        "cancellation_details": _DETAILS,
        "items": list_of(hash_of(changes.ITEM)),
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
def update_subscription(state: State, params: Params, subscription_id: str) -> Object:
    subscription: Object = state.find("subscription", subscription_id, in_path=True)
    refuse_ended(subscription, allowed={"metadata", "cancellation_details"}, given=params)
    with state.changing(subscription, "customer.subscription.updated"):
        changes.apply(state, subscription, params)
    return subscription


@route(
    "DELETE",
    "/v1/subscriptions/{id}",
    {"cancellation_details": _DETAILS, "invoice_now": boolean, "prorate": boolean},
)
def cancel_subscription(state: State, params: Params, subscription_id: str) -> Object:
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
def resume_subscription(state: State, params: Params, subscription_id: str) -> Object:
    """Of a subscription that paused because its trial ended without a payment method."""
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
    subscription: Object, allowed: set[str] | None = None, given: Params | None = None
) -> None:
    """Refuse to change what is over."""
    over = subscription["status"] in {"canceled", "incomplete_expired"}
    if over and (given is None or set(given) - (allowed or set())):
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="resource_missing" if given is None else "",
            status=404 if given is None else 400,
        )


_STATUSES = ("active", "all", "canceled", "ended", "incomplete", "incomplete_expired")
_STATUSES += ("past_due", "paused", "trialing", "unpaid")
_LIST = {"customer": text, "price": text, "status": choice(*_STATUSES), "test_clock": text}


@route("GET", "/v1/subscriptions", {**PAGE, **_LIST, "collection_method": text})
def list_subscriptions(state: State, params: Params) -> Object:
    """Those that are over are left out unless they are asked for."""
    status, price = params.pop("status", None), params.pop("price", None)
    over = {"canceled", "incomplete_expired"}
    wanted = {"all": None, "ended": over, None: set(_STATUSES) - {"canceled"}}.get(status, {status})
    matching = {name: params[name] for name in _LIST if params.get(name) is not None}
    found = [
        subscription
        for subscription in state.within("subscription", params, matching)
        if wanted is None or subscription["status"] in wanted
        if not price
        or any(item["price"] == price for item in subscriptions.items_of(state, subscription))
    ]
    return state.list_page("subscription", found[::-1], "/v1/subscriptions", params)


readable("subscription", "/v1/subscriptions")


@route("GET", "/v1/subscription_items", {**PAGE, "subscription": Required(text)})
def list_items(state: State, params: Params) -> Object:
    subscription = state.find("subscription", params["subscription"], "subscription")
    items = subscriptions.items_of(state, subscription)
    return state.list_page("subscription_item", items, "/v1/subscription_items", params)


readable("subscription_item", "/v1/subscription_items")


@route(
    "POST",
    "/v1/subscription_items/{id}",
    {
        "metadata": metadata,
        "price": text,
        "proration_behavior": choice(*changes.PRORATION),
        "proration_date": integer,
        "quantity": natural,
    },
)
def update_item(state: State, params: Params, item_id: str) -> Object:
    item: Object = state.find("subscription_item", item_id, in_path=True)
    merge(item, {"metadata": params.pop("metadata", {})})
    how = {
        name: params.pop(name)
        for name in ("proration_behavior", "proration_date")
        if name in params
    }
    update_subscription(state, how | {"items": [{"id": item_id, **params}]}, item["subscription"])
    return item

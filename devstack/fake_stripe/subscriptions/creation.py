"""`POST /v1/subscriptions`: checks, and the new subscription."""

from devstack.fake_stripe.catalogue import discounts
from devstack.fake_stripe.customers import existing_customer, method_of
from devstack.fake_stripe.errors import StripeError, card_declined, missing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    Params,
    Required,
    boolean,
    choice,
    currency,
    either,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    text,
    unsettable,
)
from devstack.fake_stripe.protocol.routes import route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import changes, planned_items, subscriptions

_DAY = 86400
_END_BEHAVIOR = hash_of(
    {"missing_payment_method": Required(choice("cancel", "create_invoice", "pause"))}
)
COMMON = {
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
        **COMMON,
        "currency": currency,
        "customer": Required(text),
        "items": Required(
            list_of(hash_of({"price": Required(text), "quantity": natural, "metadata": metadata}))
        ),
        "trial_period_days": natural,
    },
)
def create_subscription(state: StripeState, params: Params) -> Object:
    customer = existing_customer(state, params["customer"], "customer")
    prices = planned_items.prices_of(state, params["items"], currency=params.get("currency"))
    discounts.check(state, params.get("discounts", []))
    changes.check_end(state, customer, params)
    _trial_end(params, state.now(customer))
    _check_payment(state, customer, params)
    subscription = new_subscription(state, customer, prices, params)
    for price, requested in zip(prices, params["items"], strict=True):
        subscriptions.add_item(state, subscription, price, requested)
    discounts.replace(state, subscription, params.get("discounts", []))
    subscriptions.start(state, subscription)
    if params.get("cancel_at_period_end") or params.get("cancel_at"):
        changes.plan_end(state, subscription, params)
    return subscription


def new_subscription(
    state: StripeState, customer: Object, prices: list[Object], params: Params
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
    return None if end in (None, "now") else int(end)


def _check_payment(state: StripeState, customer: Object, params: Params) -> None:
    """Raise if nothing could be charged, as Stripe does before it creates anything."""
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
    method = method_of(state, customer, {"default_payment_method": chosen})
    prices = planned_items.prices_of(state, params["items"], currency=params.get("currency"))
    if method is None and any(price["unit_amount"] != 0 for price in prices):
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    if method and method["_declines"] and behavior == "error_if_incomplete":
        raise card_declined()

"""Checkout sessions."""

from devstack.fake_stripe.catalogue import discounts, pricing
from devstack.fake_stripe.catalogue.currencies import price_in
from devstack.fake_stripe.customers import existing_customer
from devstack.fake_stripe.errors import StripeError, missing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    currency,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    short,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import planned_items

_PATH = "/v1/checkout/sessions"
_SHORTEST, _LONGEST = 1800, 86400  # seconds until a session expires
_LINE = hash_of({"price": Required(text), "quantity": natural})
_SUBSCRIPTION = hash_of(
    {
        "description": text,
        "metadata": metadata,
        "trial_end": integer,
        "trial_period_days": natural,
    }
)


@route(
    "POST",
    _PATH,
    {
        "allow_promotion_codes": boolean,
        "automatic_tax": hash_of({"enabled": Required(boolean)}),
        "billing_address_collection": choice("auto", "required"),
        "cancel_url": text,
        "client_reference_id": short(200),
        "currency": currency,
        "customer": text,
        "customer_email": text,
        "discounts": discounts.DISCOUNTS,
        "expires_at": integer,
        "line_items": Required(list_of(_LINE)),
        "locale": text,
        "metadata": metadata,
        "mode": Required(choice("payment", "subscription")),
        "payment_method_collection": choice("always", "if_required"),
        "payment_method_types": list_of(choice("card")),
        "subscription_data": _SUBSCRIPTION,
        "success_url": Required(text),
    },
)
def create_session(state: StripeState, params: Params) -> Object:
    customer = None
    if customer_id := params.get("customer"):
        if params.get("customer_email"):
            raise StripeError("You may only specify one of customer and customer_email.")
        customer = existing_customer(state, customer_id, "customer")
    lines = params.pop("line_items")
    prices = _prices(state, params["mode"], lines, params.get("currency"))
    for position, given_discount in enumerate(params.get("discounts", [])):
        param = f"discounts[{position}][coupon]"
        discounts.usable_coupon(state, given_discount.get("coupon"), param)
    kept = {"_lines": lines, "_subscription_data": params.pop("subscription_data", {})}
    kept["_line_items"] = _line_items(state, prices, lines)
    total = sum(item["amount_total"] for item in kept["_line_items"]["data"])
    fields: Object = dict.fromkeys("cancel_url client_reference_id customer_email invoice".split())
    fields |= dict.fromkeys("customer_details payment_intent subscription locale".split())
    fields |= {"amount_subtotal": total, "amount_total": total, "currency": prices[0]["currency"]}
    fields |= {"automatic_tax": {"enabled": False, "liability": None, "status": None}}
    fields |= {"customer": None, "payment_method_types": ["card"], "payment_status": "unpaid"}
    fields |= {"customer_creation": None if customer else "always", "status": "open"}
    fields |= {
        "total_details": dict.fromkeys(("amount_discount", "amount_shipping", "amount_tax"), 0)
    }
    fields |= {"ui_mode": "hosted_page", "discounts": [], "custom_fields": []}
    now = state.now(customer)
    expires_at = params.get("expires_at", now + _LONGEST)
    if not now + _SHORTEST <= expires_at <= now + _LONGEST:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )
    fields |= {"created": now, "expires_at": expires_at, "livemode": False}
    session = state.new("checkout.session", "cs_test", fields | kept | params)
    session["url"] = f"{state.base_url}/c/pay/{session['id']}"
    return session


def _prices(state: StripeState, mode: str, lines: list[Params], unit: str | None) -> list[Object]:
    if mode == "subscription":
        prices = planned_items.prices_of(state, lines, "line_items", unit)
    else:
        prices = [
            price_in(state.find("price", line["price"], f"line_items[{position}][price]"), unit)
            for position, line in enumerate(lines)
        ]
    for position, (price, line) in enumerate(zip(prices, lines, strict=True)):
        metered = price["recurring"] and price["recurring"]["usage_type"] == "metered"
        if not metered and not line.get("quantity"):
            raise missing(f"line_items[{position}][quantity]")
    return prices


def _line_items(state: StripeState, prices: list[Object], lines: list[Params]) -> Object:
    data = []
    for price, line in zip(prices, lines, strict=True):
        quantity = line.get("quantity")
        amount = pricing.amount(price, quantity) if quantity else 0
        item = {"id": state.new_id("li"), "object": "item", "amount_discount": 0, "amount_tax": 0}
        item |= {"amount_subtotal": amount, "amount_total": amount, "discounts": []}
        item |= {"currency": price["currency"], "price": price["id"], "quantity": quantity}
        item |= {"description": state.get("product", price["product"])["name"]}
        data.append(item)
    return {"object": "list", "data": data, "has_more": False, "url": ""}


@route("POST", _PATH + "/{id}/expire")
def expire_session(state: StripeState, params: Params, session_id: str) -> Object:
    return expire(state, open_session(state, session_id))


def expire(state: StripeState, session: Object) -> Object:
    session |= {"status": "expired", "url": None}
    state.emit("checkout.session.expired", session)
    return session


@route("GET", _PATH + "/{id}/line_items", PAGE)
def list_line_items(state: StripeState, params: Params, session_id: str) -> Object:
    items: Object = state.find("checkout.session", session_id, in_path=True)["_line_items"]
    return items


readable("checkout.session", _PATH, customer=text, subscription=text, status=text)


def open_session(state: StripeState, session_id: str) -> Object:
    session: Object = state.find("checkout.session", session_id, in_path=True)
    if session["status"] == "open" and session["expires_at"] <= state.now():
        expire(state, session)
    if session["status"] != "open":
        raise StripeError(f"This checkout session is {session['status']}.")
    return session

"""Coupons."""

from devstack.fake_stripe.errors import StripeError, missing, no_such
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    by_currency,
    choice,
    currency,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    percentage,
    text,
)
from devstack.fake_stripe.protocol.routes import route
from devstack.fake_stripe.state import StripeState


@route(
    "POST",
    "/v1/coupons",
    {
        "amount_off": natural,
        "applies_to": hash_of({"products": list_of(text)}),
        "currency": currency,
        "currency_options": by_currency(hash_of({"amount_off": Required(natural)})),
        "duration": choice("forever", "once", "repeating"),
        "duration_in_months": natural,
        "id": text,
        "max_redemptions": natural,
        "metadata": metadata,
        "name": text,
        "percent_off": percentage,
        "redeem_by": integer,
    },
)
def create_coupon(state: StripeState, params: Params) -> Object:
    if params.get("id") in state.objects["coupon"]:
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    if ("percent_off" in params) == ("amount_off" in params):
        raise StripeError("Specify either percent_off or amount_off.", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise missing("currency")
    duration = params.setdefault("duration", "once")
    if (duration == "repeating") != ("duration_in_months" in params):
        raise StripeError(
            "duration_in_months goes with duration 'repeating', and only with it.",
            param="duration_in_months",
        )
    fields = dict.fromkeys(("amount_off", "currency", "duration_in_months", "max_redemptions"))
    fields |= dict.fromkeys(("name", "percent_off", "redeem_by"))
    params["_currency_options"] = params.pop("currency_options", None)
    params["_applies_to"] = params.pop("applies_to", None)
    for position, product in enumerate((params["_applies_to"] or {}).get("products", [])):
        state.find("product", product, f"applies_to[products][{position}]")
    defaults = {"id": state.new_id("", 8)[1:], "times_redeemed": 0, "valid": True}
    coupon = state.new("coupon", "", {**fields, **defaults, **params})
    state.emit("coupon.created", coupon)
    return coupon


@route("DELETE", "/v1/coupons/{id}")
def delete_coupon(state: StripeState, params: Params, coupon_id: str) -> Object:
    """Delete a coupon: new subscriptions cannot use it, existing ones keep it."""
    coupon = _existing(state, coupon_id)
    coupon["valid"] = False
    state.emit("coupon.deleted", coupon)
    coupon["_deleted"] = True
    return {"id": coupon_id, "object": "coupon", "deleted": True}


@route("GET", "/v1/coupons", PAGE)
def list_coupons(state: StripeState, params: Params) -> Object:
    coupons = [coupon for coupon in state.within("coupon", params, {}) if "_deleted" not in coupon]
    return state.list_page("coupon", coupons[::-1], "/v1/coupons", params)


@route("GET", "/v1/coupons/{id}")
def retrieve_coupon(state: StripeState, params: Params, coupon_id: str) -> Object:
    return _existing(state, coupon_id)


def _existing(state: StripeState, coupon_id: str) -> Object:
    """Return a coupon that is not deleted."""
    coupon: Object = state.find("coupon", coupon_id, in_path=True)
    if "_deleted" in coupon:
        raise no_such("coupon", coupon_id, "id", in_path=True)
    return coupon

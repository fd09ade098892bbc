"""Coupons."""

from devstack.fake_stripe.errors import StripeError, missing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    Params,
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
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState


@route(
    "POST",
    "/v1/coupons",
    {
        "amount_off": natural,
        "applies_to": hash_of({"products": list_of(text)}),
        "currency": currency,
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
    params["_applies_to"] = params.pop("applies_to", None)
    defaults = {"id": state.new_id("", 8)[1:], "times_redeemed": 0, "valid": True}
    coupon = state.new("coupon", "", {**fields, **defaults, **params})
    state.emit("coupon.created", coupon)
    return coupon


@route("DELETE", "/v1/coupons/{id}")
def delete_coupon(state: StripeState, params: Params, coupon_id: str) -> Object:
    """Delete a coupon: new subscriptions cannot use it, existing ones keep it."""
    coupon: Object = state.find("coupon", coupon_id, in_path=True)
    coupon["valid"] = False
    state.emit("coupon.deleted", coupon)
    return {"id": coupon_id, "object": "coupon", "deleted": True}


readable("coupon", "/v1/coupons")

"""Products and prices."""

from decimal import Decimal
from typing import Any

from devstack.fake_stripe.customers import merge
from devstack.fake_stripe.errors import StripeError, missing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    Specification,
    boolean,
    by_currency,
    choice,
    currency,
    decimal,
    either,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState

_AMOUNTS = {"unit_amount": natural, "unit_amount_decimal": decimal}
_FLAT = {"flat_amount": natural, "flat_amount_decimal": decimal}
_RECURRING: Specification = {
    "interval": Required(choice("day", "month", "week", "year")),
    "interval_count": natural,
    "meter": text,
    "usage_type": choice("licensed", "metered"),
}
_PRODUCT = {
    "active": boolean,
    "default_price": text,
    "description": text,
    "metadata": metadata,
    "name": text,
    "statement_descriptor": text,
    "tax_code": text,
    "unit_label": text,
    "url": text,
}
_PRICE = {
    "active": boolean,
    "lookup_key": text,
    "metadata": metadata,
    "nickname": text,
    "tax_behavior": choice("exclusive", "inclusive", "unspecified"),
}


@route("POST", "/v1/products", {**_PRODUCT, "name": Required(text), "id": text})
def create_product(state: StripeState, params: Params) -> Object:
    if params.get("id") in state.objects["product"]:
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    defaults = dict.fromkeys(("default_price", "description", "package_dimensions", "shippable"))
    defaults |= dict.fromkeys(("statement_descriptor", "tax_code", "unit_label", "url"))
    defaults |= {"active": True, "images": [], "marketing_features": [], "type": "service"}
    product = state.new("product", "prod", defaults | {"updated": state.now()} | params)
    state.emit("product.created", product)
    return product


@route("POST", "/v1/products/{id}", _PRODUCT)
def update_product(state: StripeState, params: Params, product_id: str) -> Object:
    product: Object = state.find("product", product_id, in_path=True)
    if price := params.get("default_price"):
        state.find("price", price, "default_price")
    with state.changing(product):
        merge(product, params)
    return product


@route("DELETE", "/v1/products/{id}")
def delete_product(state: StripeState, params: Params, product_id: str) -> Object:
    product: Object = state.find("product", product_id, in_path=True)
    if any(state.all("price", product=product_id)):
        raise StripeError("This product cannot be deleted because it has one or more prices.")
    del state.objects["product"][product_id]
    state.emit("product.deleted", product)
    return {"id": product_id, "object": "product", "deleted": True}


@route("GET", "/v1/products/{id}/features", PAGE)
def list_features(state: StripeState, params: Params, product_id: str) -> Object:
    state.find("product", product_id, in_path=True)
    return state.list_page("product_feature", [], f"/v1/products/{product_id}/features", params)


@route(
    "POST",
    "/v1/prices",
    {
        **_PRICE,
        **_AMOUNTS,
        "billing_scheme": choice("per_unit", "tiered"),
        "currency": Required(currency),
        "currency_options": by_currency(hash_of(_AMOUNTS)),
        "product": text,
        "product_data": hash_of({"name": Required(text), "metadata": metadata}),
        "recurring": hash_of(_RECURRING),
        "tiers": list_of(hash_of({**_AMOUNTS, **_FLAT, "up_to": Required(either("inf", integer))})),
        "tiers_mode": choice("graduated", "volume"),
        "transform_quantity": hash_of(
            {"divide_by": Required(natural), "round": Required(choice("down", "up"))}
        ),
    },
)
def create_price(state: StripeState, params: Params) -> Object:
    new = params.pop("product_data", None)
    if not new and not params.get("product"):
        raise missing("product")
    if not new:
        state.find("product", params["product"], "product")
    params["_tiers"] = [_tier(tier) for tier in params.pop("tiers", [])]
    options = params.pop("currency_options", {})
    defaults = dict.fromkeys(("custom_unit_amount", "lookup_key", "nickname", "tiers_mode"))
    defaults |= {"active": True, "billing_scheme": "per_unit", "tax_behavior": "unspecified"}
    defaults |= {"transform_quantity": None, "recurring": None}
    fields = defaults | params | _amounts(params, "unit_amount")
    _check_scheme(fields)
    for name, option in options.items():
        if not option or fields["billing_scheme"] == "tiered":
            raise missing(f"currency_options[{name}][unit_amount]")
    fields["_currency_options"] = {
        name: _amounts(option, "unit_amount") | {"tax_behavior": fields["tax_behavior"]}
        for name, option in sorted({fields["currency"]: params, **options}.items())
    }
    if fields["recurring"]:
        fields["recurring"] = _recurring(state, fields["recurring"])
    if new:
        fields["product"] = create_product(state, new)["id"]
    fields["type"] = "recurring" if fields["recurring"] else "one_time"
    price = state.new("price", "price", fields)
    state.emit("price.created", price)
    return price


@route("POST", "/v1/prices/{id}", _PRICE)
def update_price(state: StripeState, params: Params, price_id: str) -> Object:
    price: Object = state.find("price", price_id, in_path=True)
    with state.changing(price):
        merge(price, params)
    return price


def _check_scheme(fields: Params) -> None:
    if fields["billing_scheme"] == "per_unit":
        if fields["unit_amount_decimal"] is None:
            raise missing("unit_amount")
        return
    if not fields["_tiers"]:
        raise missing("tiers")
    if not fields["tiers_mode"]:
        raise missing("tiers_mode")
    if fields["_tiers"][-1]["up_to"] is not None:
        raise StripeError("The last tier must have `up_to` set to `inf`.", param="tiers")


def _recurring(state: StripeState, settings: Params) -> Params:
    if settings.get("usage_type") == "metered":
        if not settings.get("meter"):
            raise missing("recurring[meter]")
        state.find("billing.meter", settings["meter"], "recurring[meter]")
    defaults = {"interval_count": 1, "meter": None, "trial_period_days": None}
    recurring = {**defaults, "usage_type": "licensed", **settings}
    years = {"day": 365, "week": 52, "month": 12, "year": 1}
    if not 1 <= recurring["interval_count"] <= 3 * years[recurring["interval"]]:
        raise StripeError("Prices recur at most every three years.", param="recurring")
    return recurring


def _tier(tier: Params) -> Params:
    up_to = None if tier["up_to"] == "inf" else tier["up_to"]
    return {"up_to": up_to, **_amounts(tier, "unit_amount"), **_amounts(tier, "flat_amount")}


def _amounts(fields: Params, name: str) -> dict[str, Any]:
    """Return an amount in both forms; the integer is null if the decimal is not whole."""
    value, exact = fields.get(name), fields.get(f"{name}_decimal")
    if value is not None and exact is not None:
        raise StripeError(f"You may only specify one of {name} and {name}_decimal.", param=name)
    if exact is None:
        return {name: value, f"{name}_decimal": None if value is None else str(value)}
    whole = Decimal(exact) == Decimal(exact).to_integral_value()
    return {name: int(Decimal(exact)) if whole else None, f"{name}_decimal": exact}


readable("product", "/v1/products", active=boolean)
readable("price", "/v1/prices", active=boolean, product=text, currency=currency, type=text)

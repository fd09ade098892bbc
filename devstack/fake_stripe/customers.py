"""The account, customers and their payment methods."""

from devstack.fake_stripe.errors import StripeError, no_such
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    Params,
    Required,
    choice,
    hash_of,
    integer,
    metadata,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState

ACCOUNT: Object = {
    "id": "acct_FakeStripe000000",
    "object": "account",
    "business_profile": {"name": "Fake Stripe"},
    "business_type": "company",
    "charges_enabled": True,
    "country": "US",
    "created": 1_600_000_000,
    "default_currency": "usd",
    "details_submitted": True,
    "email": "account@example.com",
    "metadata": {},
    "payouts_enabled": True,
    "settings": {"dashboard": {"display_name": "Fake Stripe"}, "branding": {}},
    "type": "standard",
}
# Stripe's own test cards: https://docs.stripe.com/testing. Others are accepted.
_DECLINED = {"pm_card_chargeCustomerFail", "pm_card_visa_chargeDeclined", "tok_chargeCustomerFail"}
_ADDRESS = hash_of(dict.fromkeys(("line1 line2 city state postal_code country").split(), text))
_FIELDS = {
    "address": _ADDRESS,
    "balance": integer,
    "description": text,
    "email": text,
    "invoice_settings": hash_of({"default_payment_method": text}),
    "metadata": metadata,
    "name": text,
    "phone": text,
    "tax_exempt": choice("none", "exempt", "reverse"),
}


@route("GET", "/v1/account")
def retrieve_account(state: StripeState, params: Params) -> Object:
    return ACCOUNT


@route("GET", "/v1/accounts/{id}")
def retrieve_account_by_id(state: StripeState, params: Params, account_id: str) -> Object:
    if account_id != ACCOUNT["id"]:
        raise no_such("account", account_id, "account", in_path=True)
    return ACCOUNT


@route("POST", "/v1/customers", {**_FIELDS, "payment_method": text, "test_clock": text})
def create_customer(state: StripeState, params: Params) -> Object:
    method = params.pop("payment_method", None)
    if method and not _is_test_card(method):
        state.find("payment_method", method, "payment_method")
    settings = params.pop("invoice_settings", {})
    if settings.get("default_payment_method") not in {None, method}:
        raise StripeError("The customer has only the payment_method that comes with it.")
    if clock := params.get("test_clock"):
        state.find("test_helpers.test_clock", clock, "test_clock")
    defaults = dict.fromkeys(("address", "currency", "default_source", "description", "discount"))
    defaults |= dict.fromkeys(("email", "name", "phone", "shipping", "test_clock"))
    defaults |= {"balance": 0, "delinquent": False, "tax_exempt": "none", "preferred_locales": []}
    defaults["invoice_prefix"] = state.new_id("", 8)[1:].upper()
    defaults["invoice_settings"] = {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    }
    customer = state.new("customer", "cus", defaults | {"_invoices": 0} | params)
    if method:
        attached = attach(state, method, customer, "payment_method")["id"]
        customer["invoice_settings"]["default_payment_method"] = attached if settings else None
    state.emit("customer.created", customer)
    return customer


@route("POST", "/v1/customers/{id}", _FIELDS)
def update_customer(state: StripeState, params: Params, customer_id: str) -> Object:
    customer = existing_customer(state, customer_id, "id", in_path=True)
    with state.changing(customer):
        _set_default(state, customer, params.pop("invoice_settings", {}))
        merge(customer, params)
    return customer


def existing_customer(
    state: StripeState, customer_id: str, param: str, *, in_path: bool = False
) -> Object:
    """Return a customer that is not deleted."""
    customer: Object = state.find("customer", customer_id, param, in_path=in_path)
    if customer.get("deleted"):
        raise no_such("customer", customer_id, param, in_path=in_path)
    return customer


def merge(stored: Object, params: Params) -> None:
    """Set the sent fields; metadata is merged, and an empty text removes a key."""
    added = params.pop("metadata", {})
    kept = {**stored["metadata"], **added}
    stored["metadata"] = {name: value for name, value in kept.items() if value != ""}
    stored |= params


def attach(state: StripeState, method_id: str, customer: Object, param: str) -> Object:
    """Attach a payment method; a test card such as `pm_card_visa` is created for the customer."""
    if _is_test_card(method_id):
        method = new_method(state, declines=method_id in _DECLINED)
    else:
        method = state.find("payment_method", method_id, param)
    method["customer"] = customer["id"]
    state.emit("payment_method.attached", method)
    return method


def _is_test_card(method_id: str) -> bool:
    return method_id.startswith("pm_card_")


def new_method(state: StripeState, *, declines: bool) -> Object:
    card = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2040}
    card |= {"fingerprint": "fake", "funding": "credit", "last4": "0341" if declines else "4242"}
    details = {"address": None, "email": None, "name": None, "phone": None}
    fields = {"billing_details": details, "card": card, "customer": None, "type": "card"}
    return state.new("payment_method", "pm", fields | {"_declines": declines})


def method_of(
    state: StripeState, customer: Object, subscription: Object | None = None
) -> Object | None:
    """Return the method to charge: the subscription's, or else the customer's."""
    chosen = (subscription or {}).get("default_payment_method")
    chosen = chosen or customer["invoice_settings"]["default_payment_method"]
    return state.objects["payment_method"].get(chosen or "")


def _set_default(state: StripeState, customer: Object, settings: Params) -> None:
    if "default_payment_method" not in settings:
        return
    param = "invoice_settings[default_payment_method]"
    chosen = settings["default_payment_method"]
    if chosen:
        method = state.find("payment_method", chosen, param)
        if method["customer"] != customer["id"]:
            raise StripeError(
                f"The customer does not have a payment method with the ID {chosen}.", param=param
            )
    customer["invoice_settings"]["default_payment_method"] = chosen


readable("customer", "/v1/customers", email=text, test_clock=text)
readable("payment_method", "/v1/payment_methods", customer=text, type=text)


@route(
    "POST",
    "/v1/payment_methods",
    {
        "type": Required(choice("card")),
        "card": Required(hash_of({"token": Required(text)})),
        "metadata": metadata,
    },
)
def create_method(state: StripeState, params: Params) -> Object:
    return new_method(state, declines=params["card"]["token"] in _DECLINED)


@route("POST", "/v1/payment_methods/{id}/attach", {"customer": Required(text)})
def attach_method(state: StripeState, params: Params, method_id: str) -> Object:
    return attach(state, method_id, existing_customer(state, params["customer"], "customer"), "id")


@route("POST", "/v1/payment_methods/{id}/detach")
def detach_method(state: StripeState, params: Params, method_id: str) -> Object:
    method: Object = state.find("payment_method", method_id, in_path=True)
    method["customer"] = None
    state.emit("payment_method.detached", method)
    return method

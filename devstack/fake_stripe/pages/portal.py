"""The billing portal: its configuration, sessions, and the page to cancel or change the card."""

from datetime import UTC, datetime
from html import escape

from devstack.fake_stripe.customers import attach, existing_customer
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.pages import html
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    hash_of,
    text,
)
from devstack.fake_stripe.protocol.routes import page, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import changes, subscriptions

_FLOWS = ("payment_method_update", "subscription_cancel", "subscription_update")
_CARDS = {"good_card": "pm_card_visa", "bad_card": "pm_card_chargeCustomerFail"}


@route(
    "POST",
    "/v1/billing_portal/sessions",
    {
        "configuration": text,
        "customer": Required(text),
        "flow_data": hash_of({"type": Required(choice(*_FLOWS))}),
        "locale": text,
        "return_url": text,
    },
)
def create_session(state: StripeState, params: Params) -> Object:
    customer = existing_customer(state, params["customer"], "customer")
    flow = params.pop("flow_data", None)
    fields = {"configuration": "bpc_fake", "flow": flow, "locale": None, "on_behalf_of": None}
    fields |= {"return_url": None, "created": state.now(customer)}
    session = state.new("billing_portal.session", "bps", fields | params)
    del session["metadata"]
    session["url"] = f"{state.base_url}/p/session/{session['id']}"
    return session


@route(
    "GET",
    "/v1/billing_portal/configurations",
    {**PAGE, "active": boolean, "is_default": boolean},
)
def list_configurations(state: StripeState, params: Params) -> Object:
    """Return the only configuration: active, the default, with a page to log in."""
    login_page = {"enabled": True, "url": f"{state.base_url}/p/login/fake"}
    configuration = {"id": "bpc_fake", "object": "billing_portal.configuration", "active": True}
    configuration |= {"is_default": True, "livemode": False, "login_page": login_page}
    is_wanted = params.get("active", True) and params.get("is_default", True)
    data = [configuration] if is_wanted else []
    url = "/v1/billing_portal/configurations"
    return {"object": "list", "data": data, "has_more": False, "url": url}


@page("GET", "/p/login/fake")
def log_in(state: StripeState, form: Params) -> tuple[int, str]:
    return 200, html.page("Log in", "<p>Stripe would send a link to the customer's address.</p>")


@page("GET", "/p/session/{id}")
def show(state: StripeState, form: Params, session_id: str) -> tuple[int, str]:
    session = state.find("billing_portal.session", session_id, in_path=True)
    living_ones = [
        subscription
        for subscription in state.all("subscription", customer=session["customer"])
        if subscription["status"] not in {"canceled", "incomplete_expired"}
    ]
    content = "".join(_subscription(state, subscription) for subscription in living_ones)
    content = content or "<p>There is no subscription.</p>"
    content += "<h2>Card</h2>" + html.form(
        {"good_card": "Use a card that works", "bad_card": "Use a card that is declined"}
    )
    if back := session["return_url"]:
        content += f'<p><a href="{escape(back)}">Return</a>'
    return 200, html.page("Your subscription", content)


@page("POST", "/p/session/{id}")
def submit(state: StripeState, form: Params, session_id: str) -> tuple[int, str]:
    session = state.find("billing_portal.session", session_id, in_path=True)
    customer, action = state.get("customer", session["customer"]), form.get("action")
    if action in _CARDS:
        _change_card(state, customer, _CARDS[action])
    elif action in {"cancel", "resume"}:
        subscription = state.find("subscription", form.get("subscription", ""), "subscription")
        if subscription["customer"] != customer["id"]:
            raise StripeError("This subscription is another customer's.", status=403)
        with state.changing(subscription, "customer.subscription.updated"):
            changes.plan_end(state, subscription, {"cancel_at_period_end": action == "cancel"})
    return 303, f"{state.base_url}/p/session/{session_id}"


def _change_card(state: StripeState, customer: Object, card: str) -> None:
    """Make it the default of customer and subscriptions, and collect open invoices with it."""
    method = attach(state, card, customer, "payment_method")
    with state.changing(customer):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in state.all("subscription", customer=customer["id"]):
        with state.changing(subscription, "customer.subscription.updated"):
            subscription["default_payment_method"] = method["id"]
    for invoice in state.all("invoice", customer=customer["id"], status="open"):
        subscriptions.pay(state, invoice, method)


def _subscription(state: StripeState, subscription: Object) -> str:
    names = ", ".join(
        state.get("product", state.get("price", item["price"])["product"])["name"]
        for item in subscriptions.items_of(state, subscription)
    )
    end = subscription["cancel_at"] or subscriptions.period_of(state, subscription)[1]
    day = datetime.fromtimestamp(end, UTC).strftime("%d %B %Y")
    ending = subscription["cancel_at"] is not None
    button = {"resume": "Do not cancel"} if ending else {"cancel": "Cancel at the period's end"}
    words = f"{subscription['status']}; {'ends' if ending else 'renews'} on {day}"
    heading = f"<h2>{escape(names)}</h2><p>{escape(words)}</p>"
    return heading + html.form(button, subscription=subscription["id"])

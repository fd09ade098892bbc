"""The page of a checkout session, with buttons to pay or decline the card."""

from html import escape
from urllib.parse import quote

from devstack.fake_stripe.customers import attach, create_customer, new_method
from devstack.fake_stripe.invoicing import payments
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.pages import html
from devstack.fake_stripe.pages.checkout import open_session
from devstack.fake_stripe.protocol.parameters import Params
from devstack.fake_stripe.protocol.routes import page
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import creation


@page("GET", "/c/pay/{id}")
def show(state: StripeState, form: Params, session_id: str, problem: str = "") -> tuple[int, str]:
    session = open_session(state, session_id)
    rows = "".join(
        f"<tr><td>{escape(str(item['quantity'] or ''))} × {escape(item['description'])}"
        f"<td>{html.money(item['amount_total'], item['currency'])}"
        for item in session["_line_items"]["data"]
    )
    total = html.money(session["amount_total"], session["currency"])
    days = session["_subscription_data"].get("trial_period_days")
    trial = f"<p>Free for {days} days.</p>" if days else ""
    email = escape(session["customer_email"] or "")
    has_email = session["customer"] and state.get("customer", session["customer"])["email"]
    field = f'<p><label>E-mail <input name="email" type="email" value="{email}" required></label>'
    form_ = html.form(
        {"pay": f"Pay {total}", "decline": "Decline the card"},
        "" if has_email else field,
    )
    back = session["cancel_url"]
    link = f'<p><a href="{escape(back)}">Back</a>' if back else ""
    return 200, html.page("Checkout", f"<table>{rows}</table>{trial}{form_}{link}", problem)


@page("POST", "/c/pay/{id}")
def submit(state: StripeState, form: Params, session_id: str) -> tuple[int, str]:
    session = open_session(state, session_id)
    if form.get("action") == "decline":
        intent = _intent(state, session)
        payments.confirm(state, intent, new_method(state, declines=True))
        return show(state, {}, session_id, "Your card was declined. Try another one.")
    return 303, complete(state, session, form.get("email", ""))


def complete(state: StripeState, session: Object, email: str) -> str:
    """Pay: create customer, subscription and invoice; return the address to go to."""
    if not session["customer"]:
        session["customer"] = create_customer(
            state, {"email": session["customer_email"] or email, "metadata": {}}
        )["id"]
    customer = state.get("customer", session["customer"])
    if email and not customer["email"]:
        with state.changing(customer):
            customer["email"] = email
    method = attach(state, "pm_card_visa", customer, "payment_method")
    if session["mode"] == "subscription":
        _subscribe(state, session, method)
    else:
        intent = _intent(state, session)
        payments.confirm(state, intent, method)
        session["payment_intent"] = intent["id"]
    details = {"email": customer["email"], "name": customer["name"], "phone": None}
    session |= {"customer_details": details | {"tax_exempt": "none", "tax_ids": []}}
    free = session["amount_total"] == 0 or session["_subscription_data"].get("trial_period_days")
    session |= {"status": "complete", "payment_status": "no_payment_required" if free else "paid"}
    session["url"] = None
    state.emit("checkout.session.completed", session)
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))


def _subscribe(state: StripeState, session: Object, method: Object) -> None:
    params = {"customer": session["customer"], "items": session["_lines"]}
    params["currency"] = session["currency"]
    params |= {"default_payment_method": method["id"], "discounts": session["discounts"]}
    params |= session["_subscription_data"]
    subscription = creation.create_subscription(state, params)
    session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}


def _intent(state: StripeState, session: Object) -> Object:
    amount, currency = session["amount_total"], session["currency"]
    return payments.new_intent(state, amount, currency, session["customer"], "Checkout")

"""The page of an invoice, at its `hosted_invoice_url`."""

from html import escape

from devstack.fake_stripe.customers import attach
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.pages import html
from devstack.fake_stripe.protocol.parameters import Params
from devstack.fake_stripe.protocol.routes import page
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import subscriptions


@page("GET", "/i/{id}")
def show(state: StripeState, form: Params, invoice_id: str) -> tuple[int, str]:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    currency = invoice["currency"]
    rows = [(line["description"], line["amount"]) for line in invoice["lines"]["data"]]
    rows += [("Discount", -discount["amount"]) for discount in invoice["total_discount_amounts"]]
    rows += [("Total", invoice["total"]), ("Amount due", invoice["amount_remaining"])]
    cells = "".join(
        f"<tr><td>{escape(text)}<td>{html.money(amount, currency)}" for text, amount in rows
    )
    button = ""
    if invoice["status"] == "open":
        button = html.form({"pay": f"Pay {html.money(invoice['amount_remaining'], currency)}"})
    title = f"Invoice {invoice['number']}: {invoice['status']}"
    return 200, html.page(title, f"<table>{cells}</table>{button}")


@page("POST", "/i/{id}")
def pay(state: StripeState, form: Params, invoice_id: str) -> tuple[int, str]:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    if invoice["status"] != "open":
        raise StripeError(f"This invoice is {invoice['status']}.")
    customer = state.get("customer", invoice["customer"])
    subscriptions.pay(state, invoice, attach(state, "pm_card_visa", customer, "payment_method"))
    return 303, invoice["hosted_invoice_url"]

"""`/v1/invoices` and `/v1/invoiceitems`: reading and paying."""

from devstack.fake_stripe.customers import existing_customer, merge
from devstack.fake_stripe.errors import StripeError, card_declined
from devstack.fake_stripe.invoicing import invoices
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    currency,
    integer,
    metadata,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import prorations, subscriptions

_STATUSES = ("draft", "open", "paid", "uncollectible", "void")
_LIST = {"customer": text, "status": choice(*_STATUSES), "collection_method": text}


@route("GET", "/v1/invoices", {**PAGE, **_LIST, "subscription": text})
def list_invoices(state: StripeState, params: Params) -> Object:
    subscription = params.get("subscription")
    filters = {name: params[name] for name in _LIST if params.get(name) is not None}
    matching = [
        invoice
        for invoice in state.within("invoice", params, filters)
        if not subscription or _subscription_id(state, invoice) == subscription
    ]
    return state.list_page("invoice", matching[::-1], "/v1/invoices", params)


def _subscription_id(state: StripeState, invoice: Object) -> str | None:
    subscription = invoices.subscription_of(state, invoice)
    return subscription["id"] if subscription else None


@route("GET", "/v1/invoices/{id}/lines", PAGE)
def list_lines(state: StripeState, params: Params, invoice_id: str) -> Object:
    lines: Object = state.find("invoice", invoice_id, in_path=True)["lines"]
    return {**lines, "data": lines["data"][: params.get("limit", 10)]}


@route(
    "POST",
    "/v1/invoices",
    {
        "auto_advance": boolean,
        "currency": currency,
        "customer": Required(text),
        "description": text,
        "metadata": metadata,
        "pending_invoice_items_behavior": choice("exclude", "include"),
    },
)
def create_invoice(state: StripeState, params: Params) -> Object:
    """Create a draft, with the customer's invoice items if requested."""
    customer = existing_customer(state, params.pop("customer"), "customer")
    include = params.pop("pending_invoice_items_behavior", "exclude") == "include"
    lines = prorations.pending_lines(state, None, customer["id"]) if include else []
    unit = lines[0]["currency"] if lines else customer["currency"]
    unit = params.pop("currency", None) or unit or "usd"
    invoice = invoices.draft(state, customer, "manual", lines, currency=unit)
    merge(invoice, params)
    return invoice


@route("POST", "/v1/invoices/{id}/finalize", {"auto_advance": boolean})
def finalize_invoice(state: StripeState, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "draft")
    invoices.finalize(state, invoice)
    return invoice


@route(
    "POST",
    "/v1/invoices/{id}/pay",
    {"off_session": boolean, "paid_out_of_band": boolean, "payment_method": text},
)
def pay_invoice(state: StripeState, params: Params, invoice_id: str) -> Object:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid")
    method = None
    if chosen := params.get("payment_method"):
        method = state.find("payment_method", chosen, "payment_method")
    _of_status(state, invoice_id, "draft", "open", "uncollectible")
    if invoice["status"] == "draft":
        invoices.finalize(state, invoice)
    out_of_band = params.get("paid_out_of_band", False)
    if not subscriptions.pay(state, invoice, method, out_of_band=out_of_band):
        raise card_declined()
    return invoice


@route("POST", "/v1/invoices/{id}/void")
def void_invoice(state: StripeState, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "open", "uncollectible")
    invoices.close(state, invoice, "void")
    return invoice


@route("POST", "/v1/invoices/{id}/mark_uncollectible")
def give_up_invoice(state: StripeState, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "open")
    invoices.close(state, invoice, "uncollectible")
    return invoice


def _of_status(state: StripeState, invoice_id: str, *statuses: str) -> Object:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    if invoice["status"] not in statuses:
        raise StripeError(
            f"This invoice is {invoice['status']}; it would have to be {' or '.join(statuses)}.",
            code="invoice_not_editable",
        )
    return invoice


@route(
    "POST",
    "/v1/invoiceitems",
    {
        "amount": Required(integer),
        "currency": Required(currency),
        "customer": Required(text),
        "description": text,
        "metadata": metadata,
        "subscription": text,
    },
)
def create_item(state: StripeState, params: Params) -> Object:
    """Add an amount to the next invoice of the customer or subscription."""
    customer = existing_customer(state, params["customer"], "customer")
    now = state.now(customer)
    parent = None
    if subscription := params.pop("subscription", None):
        state.find("subscription", subscription, "subscription")
        details = {"subscription": subscription, "subscription_item": None}
        parent = {"type": "subscription_details", "subscription_details": details}
    fields: Object = {"date": now, "description": None, "discountable": True, "discounts": []}
    fields |= {"invoice": None, "parent": parent, "period": {"start": now, "end": now}}
    fields |= {"net_amount": params["amount"], "pricing": None, "proration": False, "quantity": 1}
    fields |= {"tax_rates": [], "test_clock": customer["test_clock"]}
    item = state.new("invoiceitem", "ii", fields | params)
    state.emit("invoiceitem.created", item)
    return item


readable("invoice", "/v1/invoices")
readable("invoiceitem", "/v1/invoiceitems", customer=text, invoice=text)
readable("invoice_payment", "/v1/invoice_payments", invoice=text, status=text)

"""`/v1/invoices` and `/v1/invoiceitems`: reading, paying, and previews of what a change costs."""

from copy import deepcopy

from config.devstack.fake_stripe import (
    changes,
    discounts,
    invoices,
    prorations,
    subscription_requests,
    subscriptions,
)
from config.devstack.fake_stripe.customers import living, merge
from config.devstack.fake_stripe.errors import StripeError, card_declined, missing, no_such
from config.devstack.fake_stripe.parameters import (
    PAGE,
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
    text,
)
from config.devstack.fake_stripe.routes import readable, route
from config.devstack.fake_stripe.state import Object, State

_STATUSES = ("draft", "open", "paid", "uncollectible", "void")
_LIST = {"customer": text, "status": choice(*_STATUSES), "collection_method": text}


@route("GET", "/v1/invoices", {**PAGE, **_LIST, "subscription": text})
def list_invoices(state: State, params: Params) -> Object:
    subscription = params.get("subscription")
    matching = {name: params[name] for name in _LIST if params.get(name) is not None}
    found = [
        invoice
        for invoice in state.within("invoice", params, matching)
        if not subscription or _subscription_id(state, invoice) == subscription
    ]
    return state.list_page("invoice", found[::-1], "/v1/invoices", params)


def _subscription_id(state: State, invoice: Object) -> str | None:
    subscription = invoices.subscription_of(state, invoice)
    return subscription and subscription["id"]


@route("GET", "/v1/invoices/{id}/lines", PAGE)
def list_lines(state: State, params: Params, invoice_id: str) -> Object:
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
def create_invoice(state: State, params: Params) -> Object:
    """A draft of its own, with the customer's invoice items where they are asked for."""
    customer = living(state, params.pop("customer"), "customer")
    include = params.pop("pending_invoice_items_behavior", "exclude") == "include"
    lines = prorations.pending_lines(state, None, customer["id"]) if include else []
    unit = lines[0]["currency"] if lines else customer["currency"]
    unit = params.pop("currency", None) or unit or "usd"
    invoice = invoices.draft(state, customer, "manual", lines, currency=unit)
    merge(invoice, params)
    return invoice


@route("POST", "/v1/invoices/{id}/finalize", {"auto_advance": boolean})
def finalize_invoice(state: State, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "draft")
    invoices.finalize(state, invoice)
    return invoice


@route(
    "POST",
    "/v1/invoices/{id}/pay",
    {"off_session": boolean, "paid_out_of_band": boolean, "payment_method": text},
)
def pay_invoice(state: State, params: Params, invoice_id: str) -> Object:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid")
    if invoice["status"] == "draft":
        invoices.finalize(state, invoice)
    _of_status(state, invoice_id, "open", "uncollectible")
    method = None
    if chosen := params.get("payment_method"):
        method = state.find("payment_method", chosen, "payment_method")
    out_of_band = params.get("paid_out_of_band", False)
    if not subscriptions.pay(state, invoice, method, out_of_band=out_of_band):
        raise card_declined()
    return invoice


@route("POST", "/v1/invoices/{id}/void")
def void_invoice(state: State, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "open", "uncollectible")
    invoices.close(state, invoice, "void")
    return invoice


@route("POST", "/v1/invoices/{id}/mark_uncollectible")
def give_up_invoice(state: State, params: Params, invoice_id: str) -> Object:
    invoice = _of_status(state, invoice_id, "open")
    invoices.close(state, invoice, "uncollectible")
    return invoice


def _of_status(state: State, invoice_id: str, *statuses: str) -> Object:
    invoice: Object = state.find("invoice", invoice_id, in_path=True)
    if invoice["status"] not in statuses:
        raise StripeError(
            f"This invoice is {invoice['status']}; it would have to be {' or '.join(statuses)}.",
            code="invoice_not_editable",
        )
    return invoice


@route(
    "POST",
    "/v1/invoices/create_preview",
    {
        "currency": currency,
        "customer": text,
        "discounts": discounts.DISCOUNTS,
        "subscription": text,
        "subscription_details": hash_of(
            {
                "billing_cycle_anchor": choice("now", "unchanged"),
                "cancel_at_period_end": boolean,
                "cancel_now": boolean,
                "items": list_of(hash_of(changes.ITEM)),
                "proration_behavior": choice(*changes.PRORATION),
                "proration_date": integer,
                "trial_end": either("now", integer),
            }
        ),
    },
)
def preview_invoice(state: State, params: Params) -> Object:
    """The invoice that a change, or else the next renewal, would make: tried out on a copy."""
    copy = deepcopy(state)
    details = dict(params.get("subscription_details", {}))
    if "discounts" in params:
        details["discounts"] = params["discounts"]
    if subscription_id := params.get("subscription"):
        subscription = copy.find("subscription", subscription_id, "subscription")
        if params.get("customer", subscription["customer"]) != subscription["customer"]:
            raise no_such("subscription", subscription_id, "subscription")
        known = set(copy.objects["invoice"])
        _apply(copy, subscription, details)
    else:
        subscription, known = _new_subscription(copy, params, details), set()
    made = [invoice for key, invoice in copy.objects["invoice"].items() if key not in known]
    invoice = made[0] if made else _next_invoice(copy, subscription)
    invoice |= {"id": copy.new_id("upcoming_in"), "status": "draft", "number": None}
    invoice |= {"amount_paid": 0, "amount_remaining": invoice["amount_due"], "attempted": False}
    state.random.random()  # the next preview has another id
    return invoice


def _apply(copy: State, subscription: Object, details: Params) -> None:
    subscription_requests.refuse_ended(subscription)
    if details.pop("cancel_now", False):
        changes.credit_unused(copy, subscription, copy.now(subscription))
        lines = prorations.pending_lines(copy, subscription)
        subscriptions.bill(copy, subscription, "subscription_update", lines)
    else:
        changes.apply(copy, subscription, details)


def _new_subscription(copy: State, params: Params, details: Params) -> Object:
    if not params.get("customer"):
        raise missing("customer")
    if not details.get("items"):
        raise missing("subscription_details[items]")
    given = {"customer": params["customer"], "payment_behavior": "default_incomplete", **details}
    return subscription_requests.create_subscription(copy, given)


def _next_invoice(copy: State, subscription: Object) -> Object:
    """What the renewal would bill, with all that waits for it."""
    start, end = subscriptions.period_of(copy, subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] <= end:
        raise StripeError("No upcoming invoices for customer", code="invoice_upcoming_none")
    lines = subscriptions.renewal_lines(copy, subscription, start, end)
    customer = copy.get("customer", subscription["customer"])
    return invoices.draft(copy, customer, "upcoming", lines, subscription)


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
def create_item(state: State, params: Params) -> Object:
    """An amount that the customer's, or the subscription's, next invoice takes along."""
    customer = living(state, params["customer"], "customer")
    now = state.now(customer)
    parent = None
    if subscription := params.pop("subscription", None):
        state.find("subscription", subscription, "subscription")
        details = {"subscription": subscription, "subscription_item": None}
        parent = {"type": "subscription_details", "subscription_details": details}
    fields = {"date": now, "description": None, "discountable": True, "discounts": []}
    fields |= {"invoice": None, "parent": parent, "period": {"start": now, "end": now}}
    fields |= {"net_amount": params["amount"], "pricing": None, "proration": False, "quantity": 1}
    fields |= {"tax_rates": [], "test_clock": customer["test_clock"]}
    item = state.new("invoiceitem", "ii", fields | params)
    state.emit("invoiceitem.created", item)
    return item


readable("invoice", "/v1/invoices")
readable("invoiceitem", "/v1/invoiceitems", customer=text, invoice=text)
readable("invoice_payment", "/v1/invoice_payments", invoice=text, status=text)

"""The life of a subscription: start, renewal, payment, cancellation."""

from devstack.fake_stripe.catalogue import discounts, pricing
from devstack.fake_stripe.customers import method_of
from devstack.fake_stripe.invoicing import invoices, usage
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import prorations


def items_of(state: StripeState, subscription: Object) -> list[Object]:
    return [state.get("subscription_item", item) for item in subscription["_items"]]


def recurring_of(state: StripeState, subscription: Object) -> Object:
    """Return the billing interval, which all items share."""
    item = items_of(state, subscription)[0]
    return state.get("price", item["price"])["recurring"]  # type: ignore[no-any-return]


def period_of(state: StripeState, subscription: Object) -> tuple[int, int]:
    item = items_of(state, subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def set_period(state: StripeState, subscription: Object, start: int, end: int) -> None:
    for item in items_of(state, subscription):
        item |= {"current_period_start": start, "current_period_end": end}


def add_item(state: StripeState, subscription: Object, price: Object, requested: Params) -> Object:
    metered = price["recurring"]["usage_type"] == "metered"
    fields: Object = {"billing_thresholds": None, "discounts": [], "tax_rates": []}
    fields |= {"price": price["id"], "subscription": subscription["id"]}
    fields |= {"quantity": None if metered else requested.get("quantity", 1)}
    fields |= {"metadata": requested.get("metadata", {}), "created": state.now(subscription)}
    item = state.new("subscription_item", "si", fields)
    del item["livemode"]
    subscription["_items"].append(item["id"])
    return item


def start(state: StripeState, subscription: Object) -> None:
    """Begin the first period and bill it; a trial costs nothing."""
    now, trial_end = state.now(subscription), subscription["trial_end"]
    anchor = subscription["billing_cycle_anchor"]
    end = trial_end or pricing.period_end(anchor, recurring_of(state, subscription), now)
    set_period(state, subscription, now, end)
    bill(state, subscription, "subscription_create", advance_lines(state, subscription))
    state.emit("customer.subscription.created", subscription)


def renew(state: StripeState, subscription: Object) -> None:
    """Begin the next period and bill it, with the usage of the last one."""
    begin, now = period_of(state, subscription)
    trial = subscription["status"] == "trialing"
    if trial and _ended_without_method(state, subscription):
        return
    with state.changing(subscription, "customer.subscription.updated"):
        if trial:
            subscription["status"] = "active"
        lines = renewal_lines(state, subscription, begin, now)
        bill(state, subscription, "subscription_cycle", lines)


def bill(state: StripeState, subscription: Object, reason: str, lines: list[Object]) -> Object:
    """Create an invoice, collect it unless collection is paused, and apply the outcome."""
    customer = state.get("customer", subscription["customer"])
    invoice = invoices.draft(state, customer, reason, lines, subscription)
    subscription["latest_invoice"] = invoice["id"]
    if invoice["subtotal"] > 0:
        discounts.drop_used(state, subscription, state.now(subscription))
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft":
        invoice["auto_advance"] = False
        return invoice
    invoices.finalize(state, invoice)
    if behavior:
        status = "void" if behavior == "void" else "uncollectible"
        invoices.close(state, invoice, status)
    elif subscription["collection_method"] == "charge_automatically" or not invoice["amount_due"]:
        outcome(state, invoice, paid=_collected(state, subscription, invoice))
    return invoice


def _collected(state: StripeState, subscription: Object, invoice: Object) -> bool:
    if subscription.get("_wait_for_payment") and invoice["amount_due"]:
        return False  # default_incomplete: the client makes the first payment
    return invoices.collect(state, invoice)


def outcome(state: StripeState, invoice: Object, *, paid: bool) -> None:
    """Update the billed subscription after a payment or its failure."""
    subscription = invoices.subscription_of(state, invoice)
    if not subscription or subscription["status"] in {"canceled", "incomplete_expired"}:
        return
    first = invoice["billing_reason"] == "subscription_create"
    if paid:
        if subscription["status"] in {"incomplete", "past_due", "unpaid"}:
            subscription["status"] = "active"
        subscription.pop("_wait_for_payment", None)
    else:
        subscription["status"] = "incomplete" if first else "past_due"


def pay(
    state: StripeState, invoice: Object, method: Object | None, *, out_of_band: bool = False
) -> bool:
    """Collect an open invoice, as a retry or on request."""
    subscription = invoices.subscription_of(state, invoice)
    if subscription is None:
        return invoices.collect(state, invoice, method, out_of_band=out_of_band)
    with state.changing(subscription, "customer.subscription.updated"):
        paid = invoices.collect(state, invoice, method, out_of_band=out_of_band)
        has_ended = subscription["status"] in {"canceled", "incomplete_expired"}
        if paid or not (has_ended or invoice["billing_reason"] == "subscription_create"):
            outcome(state, invoice, paid=paid)
    if subscription["status"] == "past_due" and invoice["attempt_count"] > len(invoices.RETRY_DAYS):
        cancel(state, subscription, reason="payment_failed")
    return paid


def cancel(state: StripeState, subscription: Object, reason: str, **details: str | None) -> None:
    now = state.now(subscription)
    subscription |= {"status": "canceled", "ended_at": now}
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancellation_details"] |= {"reason": reason} | details
    for invoice in state.all("invoice", customer=subscription["customer"], status="open"):
        if invoices.subscription_of(state, invoice) is subscription:
            invoice |= {"auto_advance": False, "next_payment_attempt": None}  # no more attempts
    state.emit("customer.subscription.deleted", subscription)


def expire(state: StripeState, subscription: Object) -> None:
    """Expire a subscription whose first payment is missing after 23 hours."""
    with state.changing(subscription, "customer.subscription.updated"):
        subscription |= {"status": "incomplete_expired", "ended_at": state.now(subscription)}
        invoices.close(state, state.get("invoice", subscription["latest_invoice"]), "void")


def _ended_without_method(state: StripeState, subscription: Object) -> bool:
    customer = state.get("customer", subscription["customer"])
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or method_of(state, customer, subscription):
        return False
    if behavior == "cancel":
        cancel(state, subscription, reason="cancellation_requested")
    else:
        with state.changing(subscription, "customer.subscription.paused"):
            subscription["status"] = "paused"
    return True


def renewal_lines(state: StripeState, subscription: Object, start: int, end: int) -> list[Object]:
    """Begin the period after [start, end); return its lines, the last usage and pending items."""
    lines = usage.lines(state, subscription, start, end)
    anchor, recurring = subscription["billing_cycle_anchor"], recurring_of(state, subscription)
    set_period(state, subscription, end, pricing.period_end(anchor, recurring, end))
    lines += advance_lines(state, subscription)
    return lines + prorations.pending_lines(state, subscription)


def advance_lines(state: StripeState, subscription: Object) -> list[Object]:
    """Return the lines of the current period; metered items are billed at its end."""
    trial = subscription["status"] == "trialing"
    return [
        prorations.item_line(state, item, 0 if trial else None, trial=trial)
        for item in items_of(state, subscription)
        if item["quantity"] is not None
    ]

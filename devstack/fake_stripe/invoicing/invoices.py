"""Drafting, finalizing and collecting invoices."""

from typing import Any

from devstack.fake_stripe.catalogue import discounts
from devstack.fake_stripe.customers import method_of
from devstack.fake_stripe.invoicing import lines as invoice_lines
from devstack.fake_stripe.invoicing import payments
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import StripeState

_DAY = 86400
RETRY_DAYS = (3, 5, 7)  # after each failed attempt; there is no fifth


def draft(
    state: StripeState,
    customer: Object,
    reason: str,
    lines: list[Object],
    subscription: Object | None = None,
    *,
    currency: str = "usd",
) -> Object:
    """Return a new draft with these lines, less the subscription's discounts."""
    now = state.now(customer)
    fields = _blank(customer, subscription, now)
    currency = subscription["currency"] if subscription else currency
    fields |= {"billing_reason": reason, "currency": currency, "status": "draft"}
    coupons = discounts.coupons_at(state, subscription, now) if subscription else []
    invoice = state.new(
        "invoice", "in", fields | invoice_lines.totals(lines, coupons, customer["balance"])
    )
    for line in lines:
        line["invoice"] = invoice["id"]
        details = line["parent"].get("invoice_item_details") or {}
        if waiting := details.get("invoice_item"):
            state.get("invoiceitem", waiting)["invoice"] = invoice["id"]
    url = f"/v1/invoices/{invoice['id']}/lines"
    listed = {"object": "list", "data": lines, "has_more": False, "total_count": len(lines)}
    invoice["lines"] = listed | {"url": url}
    state.emit("invoice.created", invoice)
    return invoice


def finalize(state: StripeState, invoice: Object) -> None:
    """Number the invoice and apply the customer's balance."""
    customer = state.get("customer", invoice["customer"])
    customer["_invoices"] += 1
    now = state.now(customer)
    invoice |= {"status": "open", "number": f"{customer['invoice_prefix']}-"}
    invoice["number"] += f"{customer['_invoices']:04}"
    invoice |= {"auto_advance": True, "effective_at": now}
    invoice["hosted_invoice_url"] = f"{state.base_url}/i/{invoice['id']}"
    invoice["status_transitions"]["finalized_at"] = now
    remainder = invoice["starting_balance"] + invoice["total"] - invoice["amount_due"]
    invoice["ending_balance"] = remainder
    if customer["balance"] != remainder:
        with state.changing(customer):
            customer["balance"] = remainder
    state.emit("invoice.finalized", invoice)


def collect(
    state: StripeState, invoice: Object, method: Object | None = None, *, out_of_band: bool = False
) -> bool:
    """Try to collect an open invoice; return whether it is paid. A failure schedules a retry."""
    customer = state.get("customer", invoice["customer"])
    if invoice["amount_remaining"] and not out_of_band:
        intent = _intent(state, invoice, customer)
        paid = payments.confirm(state, intent, method or _method(state, invoice, customer))
        invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
        if not paid:
            _plan_next_attempt(state, invoice)
            state.emit("invoice.payment_failed", invoice)
            return False
        _note_payment(state, invoice, intent)
    now = state.now(customer)
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= {"attempted": True, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["paid_at"] = now
    customer["delinquent"] = False
    state.emit("invoice.paid", invoice)
    state.emit("invoice.payment_succeeded", invoice)
    return True


def close(state: StripeState, invoice: Object, status: str) -> None:
    """Void an invoice or mark it uncollectible."""
    invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    word = "voided" if status == "void" else "marked_uncollectible"
    invoice["status_transitions"][f"{word}_at"] = state.now(invoice)
    state.emit(f"invoice.{word}", invoice)


def subscription_of(state: StripeState, invoice: Object) -> Object | None:
    parent = invoice["parent"] or {}
    details = parent.get("subscription_details") or {}
    return state.objects["subscription"].get(details.get("subscription", ""))


def _blank(customer: Object, subscription: Object | None, now: int) -> Object:
    fields: Object = dict.fromkeys("account_tax_ids application custom_fields due_date".split())
    fields |= dict.fromkeys("default_payment_method default_source description footer".split())
    fields |= dict.fromkeys("effective_at ending_balance from_invoice hosted_invoice_url".split())
    fields |= dict.fromkeys("invoice_pdf last_finalization_error latest_revision number".split())
    fields |= dict.fromkeys("next_payment_attempt on_behalf_of receipt_number rendering".split())
    fields |= {"account_country": "US", "account_name": "Fake Stripe", "attempt_count": 0}
    fields |= {"attempted": False, "auto_advance": True, "customer": customer["id"]}
    fields |= {"automatic_tax": {"enabled": False, "liability": None, "status": None}}
    fields |= {f"customer_{name}": customer[name] for name in ("email", "name", "phone", "address")}
    fields |= {"default_tax_rates": [], "discounts": [], "issuer": {"type": "self"}}
    fields |= {"collection_method": "charge_automatically", "parent": None, "test_clock": None}
    fields |= {"period_start": now, "period_end": now, "created": now}
    moments = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
    fields |= {"status_transitions": dict.fromkeys(moments), "test_clock": customer["test_clock"]}
    if subscription:
        parent: Object = {"subscription": subscription["id"]}
        parent["metadata"] = dict(subscription["metadata"])
        fields["parent"] = {"type": "subscription_details", "quote_details": None}
        fields["parent"]["subscription_details"] = parent
        fields |= {name: subscription[name] for name in ("discounts", "collection_method")}
        fields["discounts"] = list(subscription["discounts"])
        if days := subscription["days_until_due"]:
            fields["due_date"] = now + days * _DAY
    return fields


def _method(state: StripeState, invoice: Object, customer: Object) -> Object | None:
    return method_of(state, customer, subscription_of(state, invoice))


def _intent(state: StripeState, invoice: Object, customer: Object) -> Object:
    """Return the payment intent that all attempts at an invoice share."""
    if kept := invoice.get("_intent"):
        return state.get("payment_intent", kept)
    description = f"Payment for invoice {invoice['number']}"
    amount, currency = invoice["amount_remaining"], invoice["currency"]
    intent = payments.new_intent(state, amount, currency, customer["id"], description)
    invoice["_intent"] = intent["id"]
    return intent


def _plan_next_attempt(state: StripeState, invoice: Object) -> None:
    attempt, at = invoice["attempt_count"], None
    if invoice["billing_reason"] != "subscription_create" and attempt <= len(RETRY_DAYS):
        at = state.now(invoice) + RETRY_DAYS[attempt - 1] * _DAY
    invoice["next_payment_attempt"] = at
    state.get("customer", invoice["customer"])["delinquent"] = True


def _note_payment(state: StripeState, invoice: Object, intent: Object) -> None:
    now = state.now(invoice)
    fields: dict[str, Any] = {"amount_paid": intent["amount"], "amount_requested": intent["amount"]}
    fields |= {"currency": invoice["currency"], "invoice": invoice["id"], "is_default": True}
    fields |= {"payment": {"type": "payment_intent", "payment_intent": intent["id"]}}
    fields |= {"status": "paid", "status_transitions": {"canceled_at": None, "paid_at": now}}
    payment = state.new("invoice_payment", "inpay", fields | {"created": now})
    state.emit("invoice_payment.paid", payment)

"""Cash out of Stripe's invoices, refunds and credit notes. Moments are Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from billing.calculations.stripe_fields import UnusableStripeObject, id_of, moment_of, whole
from common.calculations.currency import DECIMALS


class CashKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class Cash:
    stripe_id: str
    customer_id: str
    kind: CashKind
    moment: int
    amount: int  # minor units
    currency: str


def cash_of(stripe_json: Mapping[str, Any]) -> Cash | None:
    """Return the cash a Stripe object moved, None if none; the error names the invalid field."""
    match stripe_json.get("object"):
        case "invoice":
            return _payment(stripe_json)
        case "refund":
            return _refund(stripe_json)
        case "credit_note":
            return _credit_note(stripe_json)
        case other:
            raise UnusableStripeObject("object", f"{other!r} moves no cash")


def charges_of(invoice: Mapping[str, Any]) -> set[str]:
    """Return the charges and payment intents of an invoice, to which its refunds refer."""
    payments = [invoice.get("charge"), invoice.get("payment_intent")]
    for row in (invoice.get("payments") or {}).get("data") or ():
        payment = row.get("payment") or {}
        payments += [payment.get("charge"), payment.get("payment_intent")]
    return {row["id"] if isinstance(row, dict) else row for row in payments if row}


def _payment(invoice: Mapping[str, Any]) -> Cash | None:
    amount = whole(invoice, "amount_paid", "invoice")
    paid = invoice.get("status") == "paid" or (not invoice.get("status") and invoice.get("paid"))
    if not paid or not amount:
        return None
    transitions = invoice.get("status_transitions") or {}
    moment = moment_of(transitions, "paid_at") if transitions else None
    return _cash(CashKind.PAYMENT, invoice, amount, moment)


def _refund(refund: Mapping[str, Any]) -> Cash | None:
    amount = whole(refund, "amount", "refund")
    if refund.get("status") not in {None, "succeeded"} or not amount:
        return None
    return _cash(CashKind.REFUND, refund, amount, None)


def _credit_note(note: Mapping[str, Any]) -> Cash | None:
    """Count only amounts paid back outside Stripe: refunds count themselves, credit is not cash."""
    amount = whole(note, "out_of_band_amount", "credit_note")
    if note.get("status") == "void" or not amount:
        return None
    return _cash(CashKind.CREDIT_NOTE, note, amount, None)


def _cash(kind: CashKind, stripe_json: Mapping[str, Any], amount: int, moment: int | None) -> Cash:
    currency = stripe_json.get("currency")
    if currency not in DECIMALS:
        raise UnusableStripeObject("currency", f"{currency!r} is not a supported currency")
    if moment is None:
        moment = moment_of(stripe_json, "created")
        moment = moment_of(stripe_json, "date") if moment is None else moment
    if moment is None:
        raise UnusableStripeObject("created", "is missing")
    stripe_id = id_of(stripe_json.get("id"), "id")
    return Cash(
        stripe_id,
        id_of(stripe_json.get("customer"), "customer", default=""),
        kind,
        moment,
        amount,
        currency,
    )

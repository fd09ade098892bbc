"""Cash out of Stripe's invoices, refunds, lost disputes and credit notes. Moments are Unix seconds.

Cash comes in by paid invoices alone. So a refund or dispute only counts if its charge paid an
invoice that counts: what never came in cannot go out.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from billing.calculations.stripe_fields import UnusableStripeObject, id_of, moment_of, whole
from common.calculations.currency import DECIMALS


class CashKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    CREDIT_NOTE = "credit_note"


# A bank debit may take this long from its charge to the paid invoice.
LONGEST_PAYMENT = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Cash:
    stripe_id: str
    customer_id: str
    kind: CashKind
    moment: int
    amount: int  # minor units
    currency: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A refund or dispute with its charge, {} if that is not stored."""

    stripe_json: Mapping[str, Any]
    charge: Mapping[str, Any]
    closed_at: int | None = None  # of a dispute; None: unknown


@dataclass(slots=True)
class PaidInvoices:
    """The invoices whose payments count, by which refunds and disputes are attributed."""

    payers: dict[str, str] = field(default_factory=dict)  # customers by invoice, charge, intent
    _unnamed: dict[tuple[str, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )  # when invoices were paid that name no payment, by customer, currency and amount

    def add(self, invoice: Mapping[str, Any], payment: Cash) -> None:
        payments = charges_of(invoice)
        self.payers |= dict.fromkeys({payment.stripe_id, *payments}, payment.customer_id)
        if not payments:
            key = payment.customer_id, payment.currency, payment.amount
            self._unnamed[key].append(payment.moment)

    def customer_of(self, returned: Returned) -> str | None:
        """Return the customer of the invoice that the charge paid; None if it paid none.

        Current versions of the API name a payment on neither side unless it is expanded. Such an
        invoice was paid by a charge of its customer, currency and amount.
        """
        for name in _names(returned):
            if name in self.payers:
                return self.payers[name]
        charge = returned.charge
        created = charge.get("created")
        if "invoice" in charge or type(created) is not int:
            return None
        customer = id_of(charge.get("customer"), "charge.customer", default="")
        key = customer, charge.get("currency") or "", charge.get("amount") or 0
        paid = self._unnamed.get(key, ())
        return customer if any(-60 <= at - created <= LONGEST_PAYMENT for at in paid) else None


def _names(returned: Returned) -> Iterator[str]:
    """Yield the ids by which an invoice may be found."""
    own, charge = returned.stripe_json, returned.charge
    for value in (
        own.get("charge"),
        own.get("payment_intent"),
        charge.get("payment_intent"),
        charge.get("invoice"),
    ):
        if name := id_of(value, "charge", default=""):
            yield name


def cash_of(stripe_json: Mapping[str, Any], *, closed_at: int | None = None) -> Cash | None:
    """Return the cash a Stripe object moved, None if none; the error names the invalid field.

    `closed_at`: when a dispute was closed; unknown, it counts on the day on which it was opened.
    """
    match stripe_json.get("object"):
        case "invoice":
            return _payment(stripe_json)
        case "refund":
            return _refund(stripe_json)
        case "dispute":
            return _dispute(stripe_json, closed_at)
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


def _dispute(dispute: Mapping[str, Any], closed_at: int | None) -> Cash | None:
    amount = whole(dispute, "amount", "dispute")
    if dispute.get("status") != "lost" or not amount:
        return None
    return _cash(CashKind.DISPUTE, dispute, amount, closed_at)


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

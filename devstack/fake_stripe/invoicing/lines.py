"""The lines of an invoice and their totals after discounts."""

from devstack.fake_stripe.catalogue import discounts, pricing
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import StripeState


def line(
    state: StripeState,
    amount: int,
    period: tuple[int, int],
    description: str,
    *,
    currency: str,
    item: Object | None = None,
    price: Object | None = None,
    quantity: int | None = None,
    invoice_item: str | None = None,
    proration: bool = False,
) -> Object:
    details: Object = {"proration": proration, "invoice_item": invoice_item}
    details["proration_details"] = {"credited_items": None} if proration else None
    details["subscription"] = subscription = item["subscription"] if item else None
    if item and not invoice_item:
        kind, details["subscription_item"] = "subscription_item_details", item["id"]
    else:
        kind = "invoice_item_details"
    pricing_ = price and {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    return {
        "id": state.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": {"type": kind, kind: details},
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": pricing_,
        "quantity": quantity,
        "subscription": subscription,
        "subtotal": amount,
        "taxes": [],
    }


def totals(lines: list[Object], coupons: list[tuple[str, Object]], balance: int) -> Object:
    """Apply discounts to lines that are not prorations; a balance below 0 is a credit."""
    subtotal = sum(entry["amount"] for entry in lines)
    discountable = [entry for entry in lines if entry["discountable"] and entry["amount"] > 0]
    base = sum(entry["amount"] for entry in discountable)
    taken = discounts.reductions(coupons, base)
    for reduction in taken:
        for entry, amount in zip(discountable, _spread(reduction, discountable, base), strict=True):
            entry["discount_amounts"].append({"amount": amount, "discount": reduction["discount"]})
    total = subtotal - sum(reduction["amount"] for reduction in taken)
    due = max(0, total + balance)
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": balance,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": taken,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def _spread(reduction: Object, lines: list[Object], base: int) -> list[int]:
    """Spread a reduction over the lines; the last one takes the rounding difference."""
    shares = [pricing.share(reduction["amount"], entry["amount"], base) for entry in lines]
    if shares:
        shares[-1] += reduction["amount"] - sum(shares)
    return shares

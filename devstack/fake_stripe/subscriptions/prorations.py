"""Invoice lines of subscription items, for whole periods and parts of them."""

from datetime import UTC, datetime

from devstack.fake_stripe.catalogue import discounts, pricing
from devstack.fake_stripe.catalogue.currencies import price_of
from devstack.fake_stripe.invoicing import lines
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import StripeState


def item_line(
    state: StripeState, item: Object, amount: int | None = None, *, trial: bool
) -> Object:
    """Return the line for an item's current period, billed in advance."""
    price = price_of(state, item)
    name, quantity = _product_name(state, price), item["quantity"]
    cost = pricing.amount(price, quantity) if amount is None else amount
    interval = price["recurring"]["interval"]
    description = f"Trial period for {name}" if trial else f"{quantity} × {name} (per {interval})"
    return lines.line(
        state,
        cost,
        (item["current_period_start"], item["current_period_end"]),
        description,
        currency=price["currency"],
        item=item,
        price=price,
        quantity=quantity,
    )


def prorate(
    state: StripeState,
    subscription: Object,
    item: Object,
    price: Object,
    *,
    quantity: int,
    at: int,
    sign: int,
) -> Object:
    """Add a pending item for the rest of the period: unused time (-1) or remaining time (1)."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole = pricing.amount(price, quantity)
    net = discounts.after_discounts(state, subscription, whole, at)
    amount = sign * pricing.share(net, end - at, end - start)
    day = datetime.fromtimestamp(at, UTC).strftime("%d %b %Y")
    many = f"{quantity} × " if quantity != 1 else ""
    words = "Remaining time on" if sign > 0 else "Unused time on"
    fields: Object = {"amount": amount, "net_amount": amount, "currency": price["currency"]}
    fields |= {"customer": subscription["customer"], "date": at, "discountable": False}
    fields |= {"description": f"{words} {many}{_product_name(state, price)} after {day}"}
    fields |= {"discounts": [], "invoice": None, "period": {"start": at, "end": end}}
    fields |= {"parent": _parent(item), "proration": True, "quantity": quantity, "tax_rates": []}
    fields |= {"pricing": _pricing(price), "test_clock": subscription["test_clock"]}
    pending = state.new("invoiceitem", "ii", fields)
    del pending["created"]
    state.emit("invoiceitem.created", pending)
    return pending


def pending_lines(
    state: StripeState, subscription: Object | None, customer: str | None = None
) -> list[Object]:
    """Return the lines pending for the next invoice of a subscription, or of a customer."""
    return [
        _pending_line(state, pending)
        for pending in state.all("invoiceitem", invoice=None)
        if pending["customer"] == (subscription["customer"] if subscription else customer)
        and _subscription_id(pending) in {None, subscription and subscription["id"]}
    ]


def drop_pending(state: StripeState, subscription: Object) -> None:
    """Delete prorations that will never be invoiced."""
    for pending in list(state.all("invoiceitem", invoice=None)):
        if _subscription_id(pending) == subscription["id"]:
            del state.objects["invoiceitem"][pending["id"]]


def _pending_line(state: StripeState, pending: Object) -> Object:
    item_id = ((pending["parent"] or {}).get("subscription_details") or {}).get("subscription_item")
    price_id = ((pending["pricing"] or {}).get("price_details") or {}).get("price")
    return lines.line(
        state,
        pending["amount"],
        (pending["period"]["start"], pending["period"]["end"]),
        pending["description"] or "",
        currency=pending["currency"],
        item=state.objects["subscription_item"].get(item_id or ""),
        price=state.objects["price"].get(price_id or ""),
        quantity=pending["quantity"],
        invoice_item=pending["id"],
        proration=pending["proration"],
    )


def _subscription_id(pending: Object) -> str | None:
    details = (pending["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def _parent(item: Object) -> Object:
    details = {"subscription": item["subscription"], "subscription_item": item["id"]}
    return {"type": "subscription_details", "subscription_details": details}


def _pricing(price: Object) -> Object:
    details = {"price": price["id"], "product": price["product"]}
    unit = price["unit_amount_decimal"]
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": unit}


def _product_name(state: StripeState, price: Object) -> str:
    return str(state.get("product", price["product"])["name"])

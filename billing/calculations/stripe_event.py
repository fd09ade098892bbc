"""What a Stripe event says: about whom, and what it is called on the person's timeline."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from billing.calculations.mrr import mrr
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.calculations.subscription import subscription_state

Json = Mapping[str, Any]

UPDATED = "customer.subscription.updated"

# Every type that is applied, with the name of the event that it leaves on the person.
NAMES = {
    "charge.captured": "payment_captured",
    "charge.dispute.closed": "dispute_closed",
    "charge.dispute.created": "dispute_opened",
    "charge.dispute.funds_reinstated": "dispute_funds_reinstated",
    "charge.dispute.funds_withdrawn": "dispute_funds_withdrawn",
    "charge.dispute.updated": "dispute_updated",
    "charge.expired": "charge_expired",
    "charge.failed": "charge_failed",
    "charge.pending": "charge_pending",
    "charge.refund.updated": "refund_updated",
    "charge.refunded": "payment_refunded",
    "charge.succeeded": "charge_succeeded",
    "charge.updated": "charge_updated",
    "checkout.session.async_payment_failed": "checkout_payment_failed",
    "checkout.session.async_payment_succeeded": "checkout_payment_succeeded",
    "checkout.session.completed": "checkout_completed",
    "checkout.session.expired": "checkout_expired",
    "coupon.created": "coupon_created",
    "coupon.deleted": "coupon_deleted",
    "coupon.updated": "coupon_updated",
    "credit_note.created": "credit_note_created",
    "credit_note.updated": "credit_note_updated",
    "credit_note.voided": "credit_note_voided",
    "customer.created": "customer_created",
    "customer.deleted": "customer_deleted",
    "customer.updated": "customer_updated",
    "customer.subscription.created": "subscription_created",
    "customer.subscription.deleted": "subscription_canceled",
    "customer.subscription.paused": "subscription_paused",
    "customer.subscription.pending_update_applied": "subscription_pending_update_applied",
    "customer.subscription.pending_update_expired": "subscription_pending_update_expired",
    "customer.subscription.resumed": "subscription_resumed",
    "customer.subscription.trial_will_end": "subscription_trial_ending",
    UPDATED: "subscription_updated",  # or, more exactly, one of `_UPDATES`
    "invoice.created": "invoice_created",
    "invoice.finalized": "invoice_finalized",
    "invoice.marked_uncollectible": "invoice_uncollectible",
    "invoice.paid": "invoice_paid",
    "invoice.payment_action_required": "payment_action_required",
    "invoice.payment_failed": "payment_failed",
    "invoice.payment_succeeded": "payment_succeeded",
    "invoice.sent": "invoice_sent",
    "invoice.updated": "invoice_updated",
    "invoice.voided": "invoice_voided",
    "price.created": "price_created",
    "price.deleted": "price_deleted",
    "price.updated": "price_updated",
    "product.created": "product_created",
    "product.deleted": "product_deleted",
    "product.updated": "product_updated",
    "refund.created": "refund_created",
    "refund.failed": "refund_failed",
    "refund.updated": "refund_updated",
}
_UPDATES = (
    "subscription_upgraded subscription_downgraded subscription_cancellation_scheduled"
    " subscription_cancellation_withdrawn subscription_activated subscription_past_due"
).split()
PERSON_EVENTS = frozenset({*NAMES.values(), *_UPDATES})

# What is left out, and why; a type ending with a dot stands for all that begin so.
IGNORED = {
    "invoice.upcoming": "It tells of an invoice that does not exist yet.",
    "invoiceitem.": "The invoice holds its lines.",
    "customer.discount.": "The subscription holds its discounts.",
    "customer.source.": "Plumbline keeps no cards and bank accounts.",
    "payment_method.": "Plumbline keeps no cards and bank accounts.",
    "payment_intent.": "The charge and the invoice tell what became of it.",
    "plan.": "The subscription holds its plan.",
    "subscription_schedule.": "The subscription tells when it changes.",
}

# Objects that are left out when they come by themselves.
_OBJECTS_IGNORED = {
    "bank_account": IGNORED["customer.source."],
    "card": IGNORED["customer.source."],
    "credit_note": "Its events are read.",
    "discount": IGNORED["customer.discount."],
    "invoiceitem": IGNORED["invoiceitem."],
    "payment_intent": IGNORED["payment_intent."],
    "payment_method": IGNORED["payment_method."],
    "plan": IGNORED["plan."],
    "source": IGNORED["customer.source."],
    "subscription_item": "The subscription holds its items.",
    "subscription_schedule": IGNORED["subscription_schedule."],
}
_OBJECTS = frozenset(
    "charge checkout.session coupon customer dispute invoice price product refund"
    " subscription".split()
)


def why_object_ignored(kind: str) -> str:
    """Return why objects of a kind are not stored, "" where they are."""
    return (
        "" if kind in _OBJECTS else _OBJECTS_IGNORED.get(kind, f"Nothing here is made of {kind}.")
    )


def why_ignored(event_type: str) -> str:
    """Return why events of a type are not applied, "" where they are."""
    if event_type in NAMES:
        return ""
    for beginning, reason in IGNORED.items():
        if event_type.startswith(beginning):
            return reason
    return f"Nothing here is made of {event_type}."


def object_of(event: Json) -> Json:
    """Return what an event is about; Unusable where it holds nothing."""
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("object"), str):
        raise UnusableStripeObject("data.object", "is missing")
    return found


def customer_of(stripe_json: Json) -> str:
    """Return whose object it is, "" where that is nobody's or not said."""
    own = stripe_json.get("object") == "customer"
    value = stripe_json.get("id" if own else "customer")
    return id_of(value, "customer", default="")


def name_of(event: Json) -> str:
    """Return the name of the event that an applied one leaves on the person."""
    if event["type"] != UPDATED:
        return NAMES[event["type"]]
    now = event["data"]["object"]
    before = event["data"].get("previous_attributes") or {}
    return _status_name(now, before) or _amount_name(now, before) or _end_name(now, before)


def _status_name(now: Json, before: Json) -> str:
    became = now.get("status") if "status" in before else None
    return {"past_due": "subscription_past_due", "active": "subscription_activated"}.get(
        became or "", ""
    )


def _amount_name(now: Json, before: Json) -> str:
    if not before.keys() & {"items", "plan", "quantity", "discount", "discounts"}:
        return ""
    change = _monthly(now) - _monthly({**now, **before})
    if not change:
        return ""
    return "subscription_upgraded" if change > 0 else "subscription_downgraded"


def _end_name(now: Json, before: Json) -> str:
    if not before.keys() & {"cancel_at_period_end", "cancel_at"}:
        return "subscription_updated"
    ends = now.get("cancel_at_period_end") or now.get("cancel_at")
    return f"subscription_cancellation_{'scheduled' if ends else 'withdrawn'}"


def _monthly(subscription: Json) -> Fraction:
    """Return the list price a month, whatever the status; 0 where it cannot be told."""
    try:
        state = subscription_state({**subscription, "status": "active", "pause_collection": None})
    except UnusableStripeObject:
        return Fraction(0)
    return mrr(state, state.created)


def properties_of(event: Json) -> dict[str, Any]:
    """Return what the person's event says: ids, status and amounts, nothing personal."""
    found = event["data"]["object"]
    names = "id object status currency amount amount_due amount_paid amount_refunded".split()
    properties = {f"stripe_{name}": found[name] for name in names if found.get(name) is not None}
    return properties | {"stripe_event": event["id"], "stripe_type": event["type"]}

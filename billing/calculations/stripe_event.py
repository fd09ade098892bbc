"""A Stripe event: its object, its customer, and its name on the person's timeline."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from billing.calculations.mrr import mrr
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.calculations.subscription import subscription_state
from billing.calculations.versions.event_order import object_before

Json = Mapping[str, Any]

UPDATED = "customer.subscription.updated"

# Every applied type, with the name of its event on the person's timeline.
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
    "customer.discount.created": "discount_added",
    "customer.discount.deleted": "discount_removed",
    "customer.discount.updated": "discount_changed",
    "customer.updated": "customer_updated",
    "customer.subscription.created": "subscription_created",
    "customer.subscription.deleted": "subscription_canceled",
    "customer.subscription.paused": "subscription_paused",
    "customer.subscription.pending_update_applied": "subscription_pending_update_applied",
    "customer.subscription.pending_update_expired": "subscription_pending_update_expired",
    "customer.subscription.resumed": "subscription_resumed",
    "customer.subscription.trial_will_end": "subscription_trial_ending",
    UPDATED: "subscription_updated",  # or, more precisely, one of `_UPDATES`
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

# Ignored types, and why; a type with a final dot stands for all that start with it.
IGNORED = {
    "invoice.upcoming": "The invoice does not exist yet.",
    "invoiceitem.": "The invoice contains its lines.",
    "customer.source.": "Plumbline does not store cards and bank accounts.",
    "payment_method.": "Plumbline does not store cards and bank accounts.",
    "payment_intent.": "The charge and the invoice have its outcome.",
    "plan.": "The subscription contains its plan.",
    "subscription_schedule.": "The subscription has its own events.",
}

# Objects that are ignored outside of events.
_OBJECTS_IGNORED = {
    "bank_account": IGNORED["customer.source."],
    "card": IGNORED["customer.source."],
    "credit_note": "Its events are used instead.",
    "invoiceitem": IGNORED["invoiceitem."],
    "payment_intent": IGNORED["payment_intent."],
    "payment_method": IGNORED["payment_method."],
    "plan": IGNORED["plan."],
    "source": IGNORED["customer.source."],
    "subscription_item": "The subscription contains its items.",
    "subscription_schedule": IGNORED["subscription_schedule."],
}
_OBJECTS = frozenset(
    "charge checkout.session coupon customer discount dispute invoice price product refund"
    " subscription".split()
)


def why_object_ignored(kind: str) -> str:
    """Return why objects of a kind are not stored, "" if they are."""
    return "" if kind in _OBJECTS else _OBJECTS_IGNORED.get(kind, f"Plumbline does not use {kind}.")


def why_ignored(event_type: str) -> str:
    """Return why events of a type are not applied, "" if they are."""
    if event_type in NAMES:
        return ""
    for prefix, reason in IGNORED.items():
        if event_type.startswith(prefix):
            return reason
    return f"Plumbline does not use {event_type}."


def why_foreign(event: Json) -> str:
    """Return why an event of another company's account is ignored, "" if it is our own.

    Only Connect sends those, with the connected account; until 2017 it was called `user_id`.
    """
    account = event.get("account") or event.get("user_id")
    return f"It belongs to the connected account {account}." if account else ""


def object_of(event: Json) -> Json:
    """Return the object of an event; UnusableStripeObject if there is none."""
    data = event.get("data")
    stripe_json = data.get("object") if isinstance(data, dict) else None
    if not isinstance(stripe_json, dict) or not isinstance(stripe_json.get("object"), str):
        raise UnusableStripeObject("data.object", "is missing")
    return stripe_json


def customer_of(stripe_json: Json) -> str:
    """Return the customer id of an object, "" if it has none."""
    own = stripe_json.get("object") == "customer"
    value = stripe_json.get("id" if own else "customer")
    return id_of(value, "customer", default="")


def name_of(event: Json, complete: Callable[[Json], Json] = lambda stripe_json: stripe_json) -> str:
    """Return the name of an applied event on the person's timeline.

    `complete` adds to a subscription what it only refers to.
    """
    if event["type"] != UPDATED:
        return NAMES[event["type"]]
    now = event["data"]["object"]
    before = event["data"].get("previous_attributes") or {}
    amount_name = _amount_name(now, object_before(event), before, complete)
    return _status_name(now, before) or amount_name or _end_name(now, before)


def _status_name(now: Json, before: Json) -> str:
    new_status = now.get("status") if "status" in before else None
    return {"past_due": "subscription_past_due", "active": "subscription_activated"}.get(
        new_status or "", ""
    )


def _amount_name(now: Json, earlier: Json, before: Json, complete: Callable[[Json], Json]) -> str:
    if not before.keys() & {"items", "plan", "quantity", "discount", "discounts"}:
        return ""
    change = _monthly(complete(now)) - _monthly(complete(earlier))
    if not change:
        return ""
    return "subscription_upgraded" if change > 0 else "subscription_downgraded"


def _end_name(now: Json, before: Json) -> str:
    if not before.keys() & {"cancel_at_period_end", "cancel_at"}:
        return "subscription_updated"
    ends = now.get("cancel_at_period_end") or now.get("cancel_at")
    return f"subscription_cancellation_{'scheduled' if ends else 'withdrawn'}"


def _monthly(subscription: Json) -> Fraction:
    """Return the list price per month, for any status; 0 if it is unusable."""
    try:
        state = subscription_state({**subscription, "status": "active", "pause_collection": None})
    except UnusableStripeObject:
        return Fraction(0)
    return mrr(state, state.created)


def properties_of(event: Json) -> dict[str, Any]:
    """Return the properties of the person's event: ids, status and amounts, no personal data."""
    stripe_json = event["data"]["object"]
    names = "id object status currency amount amount_due amount_paid amount_refunded".split()
    properties = {
        f"stripe_{name}": stripe_json[name] for name in names if stripe_json.get(name) is not None
    }
    return properties | {"stripe_event": event["id"], "stripe_type": event["type"]}

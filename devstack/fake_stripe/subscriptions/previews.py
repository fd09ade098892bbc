"""`/v1/invoices/create_preview`: the cost of a change, or else of the next renewal."""

from copy import deepcopy

from devstack.fake_stripe.catalogue import discounts
from devstack.fake_stripe.errors import StripeError, missing, no_such
from devstack.fake_stripe.invoicing import invoices
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    Params,
    boolean,
    choice,
    currency,
    either,
    hash_of,
    integer,
    list_of,
    text,
)
from devstack.fake_stripe.protocol.routes import route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import (
    changes,
    creation,
    planned_items,
    prorations,
    requests,
    subscriptions,
)


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
                "items": list_of(hash_of(planned_items.ITEM)),
                "proration_behavior": choice(*changes.PRORATION),
                "proration_date": integer,
                "trial_end": either("now", integer),
            }
        ),
    },
)
def preview_invoice(state: StripeState, params: Params) -> Object:
    """Return the invoice of a change, or else of the next renewal, by trying it on a copy."""
    copy = deepcopy(state)
    details = dict(params.get("subscription_details", {}))
    if "discounts" in params:
        details["discounts"] = params["discounts"]
    if subscription_id := params.get("subscription"):
        subscription = copy.find("subscription", subscription_id, "subscription")
        if params.get("customer", subscription["customer"]) != subscription["customer"]:
            raise no_such("subscription", subscription_id, "subscription")
        earlier = set(copy.objects["invoice"])
        _apply(copy, subscription, details)
    else:
        subscription, earlier = _new_subscription(copy, params, details), set()
    made = [invoice for key, invoice in copy.objects["invoice"].items() if key not in earlier]
    invoice = made[0] if made else _next_invoice(copy, subscription)
    invoice |= {"id": copy.new_id("upcoming_in"), "status": "draft", "number": None}
    invoice |= {"amount_paid": 0, "amount_remaining": invoice["amount_due"], "attempted": False}
    state.random.random()  # the next preview has another id
    return invoice


def _apply(copy: StripeState, subscription: Object, details: Params) -> None:
    requests.refuse_ended(subscription)
    if details.pop("cancel_now", False):
        changes.credit_unused(copy, subscription, copy.now(subscription))
        lines = prorations.pending_lines(copy, subscription)
        subscriptions.bill(copy, subscription, "subscription_update", lines)
    else:
        changes.apply(copy, subscription, details)


def _new_subscription(copy: StripeState, params: Params, details: Params) -> Object:
    if not params.get("customer"):
        raise missing("customer")
    if not details.get("items"):
        raise missing("subscription_details[items]")
    requested = {
        "customer": params["customer"],
        "payment_behavior": "default_incomplete",
        **details,
    }
    return creation.create_subscription(copy, requested)


def _next_invoice(copy: StripeState, subscription: Object) -> Object:
    """Return the invoice of the renewal, with pending items."""
    start, end = subscriptions.period_of(copy, subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] <= end:
        raise StripeError("No upcoming invoices for customer", code="invoice_upcoming_none")
    lines = subscriptions.renewal_lines(copy, subscription, start, end)
    customer = copy.get("customer", subscription["customer"])
    return invoices.draft(copy, customer, "upcoming", lines, subscription)

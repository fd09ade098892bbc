"""Changing a subscription: its items with prorations, its trial, its end, its collection."""

from devstack.fake_stripe.catalogue import discounts, pricing
from devstack.fake_stripe.catalogue.currencies import price_of
from devstack.fake_stripe.customers import merge, method_of
from devstack.fake_stripe.errors import StripeError, card_declined
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import prorations, subscriptions
from devstack.fake_stripe.subscriptions.planned_items import Planned, everything, plan_items

PRORATION = ("always_invoice", "create_prorations", "none")
_PLAIN = (
    "collection_method days_until_due default_payment_method description trial_settings".split()
)


def apply(state: StripeState, subscription: Object, params: Params) -> None:
    """Make all changes of an update; errors are raised before the first of them."""
    planned = plan_items(state, subscription, params.get("items", []))
    if method := params.get("default_payment_method"):
        state.find("payment_method", method, "default_payment_method")
    behavior = params.get("proration_behavior", "create_prorations")
    at = _proration_moment(state, subscription, params)
    reset = _resets(state, subscription, planned, params)
    whole = reset or isinstance(params.get("trial_end"), int)
    if params.get("payment_behavior") == "error_if_incomplete" and (
        reset or behavior == "always_invoice"
    ):
        _refuse_declined(state, subscription)
    discounts.check(state, params.get("discounts", []))
    check_end(state, subscription, params)
    if behavior != "none" and subscription["status"] != "trialing" and (planned or whole):
        changed = everything(state, subscription, planned) if whole else planned
        _credit(state, subscription, changed, at)
    _change_items(state, subscription, planned)
    if "discounts" in params:
        discounts.replace(state, subscription, params["discounts"])
    merge(subscription, {name: params[name] for name in _PLAIN if name in params})
    merge(subscription, {"metadata": params.get("metadata", {})})
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    if "pause_collection" in params:
        pause = params["pause_collection"]
        subscription["pause_collection"] = pause and {"resumes_at": None, **pause}
    if isinstance(params.get("trial_end"), int):
        _set_trial(state, subscription, params["trial_end"])
    if {"cancel_at", "cancel_at_period_end"} & set(params):
        plan_end(state, subscription, params)
    _bill_change(state, subscription, planned, behavior, at, reset=reset)


def _resets(state: StripeState, subscription: Object, planned: Planned, params: Params) -> bool:
    """Return whether a new cycle begins: new interval, first price above 0, or on request."""
    if params.get("trial_end") == "now" or params.get("billing_cycle_anchor") == "now":
        return True
    if subscription["status"] == "trialing":
        return False
    recurring = subscriptions.recurring_of(state, subscription)
    step = (recurring["interval"], recurring["interval_count"])
    prices = [price for _, price, _, _ in planned if price]
    steps = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    return bool(steps - {step}) or (
        any(price["unit_amount"] != 0 for price in prices) and _is_free(state, subscription)
    )


def _is_free(state: StripeState, subscription: Object) -> bool:
    items = subscriptions.items_of(state, subscription)
    return all(state.get("price", item["price"])["unit_amount"] == 0 for item in items)


def _proration_moment(state: StripeState, subscription: Object, params: Params) -> int:
    at = params.get("proration_date", state.now(subscription))
    start, end = subscriptions.period_of(state, subscription)
    if not start <= at <= end:
        raise StripeError(
            "The proration date must be within the current period.", param="proration_date"
        )
    return int(at)


def _refuse_declined(state: StripeState, subscription: Object) -> None:
    customer = state.get("customer", subscription["customer"])
    method = method_of(state, customer, subscription)
    if method is None or method["_declines"]:
        raise card_declined()


def _credit(state: StripeState, subscription: Object, planned: Planned, at: int) -> None:
    """Credit the changed items for the rest of the period."""
    for item, *_ in planned:
        if item and item["quantity"] is not None:
            old = price_of(state, item)
            prorations.prorate(
                state, subscription, item, old, quantity=item["quantity"], at=at, sign=-1
            )


def credit_unused(state: StripeState, subscription: Object, at: int) -> None:
    _credit(state, subscription, everything(state, subscription, []), at)


def _change_items(state: StripeState, subscription: Object, planned: Planned) -> None:
    start, end = subscriptions.period_of(state, subscription)
    for item, price, quantity, requested in planned:
        if price is None and item:
            subscription["_items"].remove(item["id"])
        elif price and item:
            item |= {"price": price["id"], "quantity": quantity}
            merge(item, {"metadata": requested.get("metadata", {})})
        elif price:
            new = subscriptions.add_item(state, subscription, price, requested)
            new |= {"current_period_start": start, "current_period_end": end}


def _bill_change(
    state: StripeState,
    subscription: Object,
    planned: Planned,
    behavior: str,
    at: int,
    *,
    reset: bool,
) -> None:
    if reset:
        _new_cycle(state, subscription)
        return
    if behavior == "none" or subscription["status"] == "trialing":
        return
    for item, price, quantity, _ in planned:
        if price and quantity is not None:
            target = item or _item_with(state, subscription, price)
            prorations.prorate(state, subscription, target, price, quantity=quantity, at=at, sign=1)
    if behavior == "always_invoice" and (lines := prorations.pending_lines(state, subscription)):
        subscriptions.bill(state, subscription, "subscription_update", lines)


def _item_with(state: StripeState, subscription: Object, price: Object) -> Object:
    items = subscriptions.items_of(state, subscription)
    return next(item for item in reversed(items) if item["price"] == price["id"])


def _new_cycle(state: StripeState, subscription: Object) -> None:
    now = state.now(subscription)
    if subscription["status"] == "trialing":
        subscription |= {"status": "active", "trial_end": now}
    subscription["billing_cycle_anchor"] = now
    end = pricing.period_end(now, subscriptions.recurring_of(state, subscription), now)
    subscriptions.set_period(state, subscription, now, end)
    lines = prorations.pending_lines(state, subscription)
    lines += subscriptions.advance_lines(state, subscription)
    subscriptions.bill(state, subscription, "subscription_update", lines)


def check_end(state: StripeState, about: Object, params: Params) -> None:
    """Raise for an invalid end of the subscription or trial, before anything is changed."""
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise StripeError("You may only specify one of cancel_at and cancel_at_period_end.")
    for name in ("cancel_at", "trial_end"):
        moment = params.get(name)
        if isinstance(moment, int) and moment <= state.now(about):
            raise StripeError("Invalid timestamp: must be in the future.", param=name)


def _set_trial(state: StripeState, subscription: Object, end: int) -> None:
    """Set the end of the trial, an existing or a new one."""
    now = state.now(subscription)
    start = subscriptions.period_of(state, subscription)[0]
    if subscription["status"] != "trialing":
        start = subscription["trial_start"] = now
    subscription |= {"status": "trialing", "trial_end": end, "billing_cycle_anchor": end}
    subscription.pop("_warned", None)
    subscriptions.set_period(state, subscription, start, end)


def plan_end(state: StripeState, subscription: Object, params: Params) -> None:
    """Schedule a cancellation at the period's end or another moment, or undo it."""
    now = state.now(subscription)
    at = params.get("cancel_at")
    at_end = bool(params.get("cancel_at_period_end"))
    moment = subscriptions.period_of(state, subscription)[1] if at_end else at
    subscription |= {"cancel_at_period_end": at_end, "cancel_at": moment}
    subscription["canceled_at"] = now if moment else None
    reason = "cancellation_requested" if moment else None
    subscription["cancellation_details"]["reason"] = reason

"""How stored objects are shown: nested objects, lists and what `expand` asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from devstack.fake_stripe.errors import StripeError

if TYPE_CHECKING:
    from devstack.fake_stripe.state import Object, State

# The kind of the object whose id a field holds.
_REFERENCES = {
    "charge": "charge",
    "coupon": "coupon",
    "customer": "customer",
    "default_payment_method": "payment_method",
    "default_price": "price",
    "discounts": "discount",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "subscription": "subscription",
    "test_clock": "test_helpers.test_clock",
}
# Fields that are shown only where they are asked for, with the stored field they are made of.
_INCLUDABLE = {
    ("charge", "refunds"): ("refund", "charge"),
    ("customer", "subscriptions"): ("subscription", "customer"),
    ("invoice", "payments"): ("invoice_payment", "invoice"),
}
_INCLUDABLE_FIELDS = {
    ("checkout.session", "line_items"),
    ("coupon", "applies_to"),
    ("customer", "sources"),
    ("price", "currency_options"),
    ("price", "tiers"),
    ("total_details", "breakdown"),
}


def render(state: State, stored: Object, paths: Iterable[str] = ()) -> Object:
    """The object as Stripe would send it, a copy."""
    shown = {name: deepcopy(value) for name, value in stored.items() if name[0] != "_"}
    kind = shown.get("object")
    if shown.get("deleted"):
        return {name: shown[name] for name in ("id", "object", "deleted")}
    if kind == "list":
        shown["data"] = [render(state, one) for one in stored["data"]]
    elif kind == "subscription":
        items = [state.get("subscription_item", item) for item in stored["_items"]]
        shown["items"] = _list(state, items, f"/v1/subscription_items?subscription={shown['id']}")
    elif kind == "subscription_item":
        shown["price"] = render(state, state.get("price", stored["price"]))
        shown["plan"] = _plan(state.get("price", stored["price"]))
    _expand(state, shown, stored, paths)
    return shown


def differences(before: Object, after: Object) -> Object:
    """`previous_attributes`: the old values of what is different, hashes only where they differ."""
    old: Object = {}
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        both_hashes = isinstance(was, dict) and isinstance(now, dict)
        old[name] = differences(was, now) if both_hashes else was  # type: ignore[arg-type]
    return old


def _list(state: State, objects: Iterable[Object], url: str) -> Object:
    data = [render(state, one) for one in objects]
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "total_count": len(data),
        "url": url,
    }


def _plan(price: Object) -> Object:
    """The older view of a price that items still carry."""
    recurring = price["recurring"]
    plan = {name: recurring[name] for name in ("interval", "interval_count", "meter", "usage_type")}
    same = """
        id active billing_scheme created currency livemode metadata nickname product tiers_mode
    """.split()
    return (
        plan
        | {name: price[name] for name in same}
        | {
            "object": "plan",
            "amount": price["unit_amount"],
            "amount_decimal": price["unit_amount_decimal"],
            "trial_period_days": None,
        }
    )


def _expand(state: State, shown: Object, stored: Object, paths: Iterable[str]) -> None:
    deeper: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        head, _, rest = path.partition(".")
        deeper[head] += [rest] if rest else []
    for head, rests in deeper.items():
        if head not in shown:
            shown[head] = _included(state, shown, stored, head)
        shown[head] = _expanded(state, head, shown[head], rests)


def _included(state: State, shown: Object, stored: Object, head: str) -> Any:
    kind = str(shown.get("object"))
    if (kind, head) in _INCLUDABLE:
        other, field = _INCLUDABLE[kind, head]
        found = list(state.all(other, **{field: shown["id"]}))[::-1]
        return _list(state, found, f"/v1/{other}s?{field}={shown['id']}")
    if (kind, head) not in _INCLUDABLE_FIELDS and head != "breakdown":
        raise StripeError(f"This property cannot be expanded ({head}).", param="expand")
    value = deepcopy(stored.get(f"_{head}"))
    return _list(state, [], "") if head == "sources" else value


def _expanded(state: State, head: str, value: Any, rests: list[str]) -> Any:
    if isinstance(value, list):
        return [_expanded(state, head, one, rests) for one in value]
    if isinstance(value, dict):
        _expand(state, value, value, rests)
        return value
    if value is None:
        return None
    if head not in _REFERENCES:
        raise StripeError(f"This property cannot be expanded ({head}).", param="expand")
    return render(state, state.get(_REFERENCES[head], value), rests)

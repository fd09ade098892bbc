"""How stored objects are sent: nested objects, lists and the fields to `expand`."""

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object, ObjectStore

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
# Fields that are sent only if they are expanded, with the stored field they come from.
_INCLUDABLE = {
    ("charge", "refunds"): ("refund", "charge"),
    ("customer", "subscriptions"): ("subscription", "customer"),
    ("invoice", "payments"): ("invoice_payment", "invoice"),
}
_INCLUDABLE_FIELDS = {
    ("checkout.session", "line_items"),
    ("coupon", "applies_to"),
    ("coupon", "currency_options"),
    ("customer", "sources"),
    ("price", "currency_options"),
    ("price", "tiers"),
}
_DEEPEST = 4  # levels of a path to expand, `data` of a list included


def render(store: ObjectStore, stored: Object, paths: Iterable[str] = ()) -> Object:
    """Return a copy of the object as Stripe would send it."""
    rendered = {name: deepcopy(value) for name, value in stored.items() if name[0] != "_"}
    kind = rendered.get("object")
    if rendered.get("deleted"):
        return {name: rendered[name] for name in ("id", "object", "deleted")}
    if kind == "list":
        rendered["data"] = [render(store, member) for member in stored["data"]]
    elif kind == "subscription":
        items = [store.get("subscription_item", item) for item in stored["_items"]]
        rendered["items"] = _list(
            store, items, f"/v1/subscription_items?subscription={rendered['id']}"
        )
    elif kind == "subscription_item":
        rendered["price"] = render(store, store.get("price", stored["price"]))
        rendered["plan"] = _plan(store.get("price", stored["price"]))
    _expand(store, rendered, stored, paths)
    return rendered


def differences(before: Object, after: Object) -> Object:
    """Return `previous_attributes`: the old values of changed fields, at any depth."""
    old: Object = {}
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        both_hashes = isinstance(was, dict) and isinstance(now, dict)
        old[name] = differences(was, now) if both_hashes else was  # type: ignore[arg-type]
    return old


def _list(store: ObjectStore, objects: Iterable[Object], url: str) -> Object:
    data = [render(store, member) for member in objects]
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "total_count": len(data),
        "url": url,
    }


def _plan(price: Object) -> Object:
    """Return the older form of a price that items still have."""
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


def _expand(store: ObjectStore, rendered: Object, stored: Object, paths: Iterable[str]) -> None:
    deeper: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        head, _, rest = path.partition(".")
        deeper[head] += [rest] if rest else []
    for head, subpaths in deeper.items():
        if head not in rendered:
            rendered[head] = _included(store, rendered, stored, head)
        elif not subpaths:
            _refuse_inexpandable(head, rendered[head])
        rendered[head] = _expanded(store, head, rendered[head], subpaths)


def check_depth(paths: Iterable[str]) -> None:
    for path in paths:
        if path.count(".") >= _DEEPEST:
            raise StripeError(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}",
                param="expand",
            )


def _refuse_inexpandable(head: str, value: Any) -> None:
    """Refuse a path that ends in a value which is neither an id nor an object."""
    is_object = isinstance(value, dict) and "object" in value
    if not is_object and head not in _REFERENCES:
        raise _cannot_be_expanded(head)


def _cannot_be_expanded(head: str) -> StripeError:
    return StripeError(f"This property cannot be expanded ({head}).", param="expand")


def _included(store: ObjectStore, rendered: Object, stored: Object, head: str) -> Any:
    kind = str(rendered.get("object"))
    if (kind, head) in _INCLUDABLE:
        other, field = _INCLUDABLE[kind, head]
        matches = list(store.all(other, **{field: rendered["id"]}))[::-1]
        return _list(store, matches, f"/v1/{other}s?{field}={rendered['id']}")
    if (kind, head) not in _INCLUDABLE_FIELDS:
        raise _cannot_be_expanded(head)
    value = deepcopy(stored.get(f"_{head}"))
    return _list(store, [], "") if head == "sources" else value


def _expanded(store: ObjectStore, head: str, value: Any, subpaths: list[str]) -> Any:
    if isinstance(value, list):
        return [_expanded(store, head, member, subpaths) for member in value]
    if isinstance(value, dict):
        own = store.objects.get(value.get("object", ""), {}).get(value.get("id", ""), value)
        _expand(store, value, own, subpaths)
        return value
    if value is None:
        return None
    if head not in _REFERENCES:
        raise _cannot_be_expanded(head)
    return render(store, store.get(_REFERENCES[head], value), subpaths)

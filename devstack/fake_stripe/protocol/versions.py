"""Events in the older API version: each endpoint gets them in the version it was created with.

https://docs.stripe.com/webhooks/versioning. Of the differences only those of subscriptions and
invoices are made: https://docs.stripe.com/changelog/basil.
"""

from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import API_VERSION


def in_version(event: Object, version: str) -> Object:
    """Return the event with its object as that version has it. Its id is the same."""
    if version == API_VERSION:
        return event
    older = _OLDER.get(event["data"]["object"]["object"], dict)
    data = event["data"] | {"object": older(event["data"]["object"])}
    return event | {"api_version": version, "data": data}


def _subscription(current: Object) -> Object:
    first = current["items"]["data"][0]
    periods = {name: first[name] for name in ("current_period_start", "current_period_end")}
    rows = [
        {name: value for name, value in row.items() if name not in periods}
        for row in current["items"]["data"]
    ]
    return current | periods | {"items": current["items"] | {"data": rows}, "discount": None}


def _invoice(current: Object) -> Object:
    details = (current.get("parent") or {}).get("subscription_details") or {}
    older = {name: value for name, value in current.items() if name != "parent"}
    subscription = details.get("subscription")
    return older | {"subscription": subscription, "paid": current["status"] == "paid"}


_OLDER = {"subscription": _subscription, "invoice": _invoice}

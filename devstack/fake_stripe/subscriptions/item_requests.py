"""`/v1/subscription_items`: one item of a subscription, changed through the subscription."""

from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    choice,
    integer,
    metadata,
    natural,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import changes, subscriptions
from devstack.fake_stripe.subscriptions.requests import update_subscription

_HOW = {"proration_behavior": choice(*changes.PRORATION), "proration_date": integer}
_ITEM = {"metadata": metadata, "price": text, "quantity": natural}


@route("GET", "/v1/subscription_items", {**PAGE, "subscription": Required(text)})
def list_items(state: StripeState, params: Params) -> Object:
    subscription = state.find("subscription", params["subscription"], "subscription")
    items = subscriptions.items_of(state, subscription)
    return state.list_page("subscription_item", items, "/v1/subscription_items", params)


readable("subscription_item", "/v1/subscription_items")


@route(
    "POST",
    "/v1/subscription_items",
    {**_ITEM, **_HOW, "price": Required(text), "subscription": Required(text)},
)
def create_item(state: StripeState, params: Params) -> Object:
    subscription: Object = state.find("subscription", params.pop("subscription"), "subscription")
    _change(state, subscription["id"], {}, params)
    return subscriptions.items_of(state, subscription)[-1]


@route("POST", "/v1/subscription_items/{id}", {**_ITEM, **_HOW})
def update_item(state: StripeState, params: Params, item_id: str) -> Object:
    item: Object = state.find("subscription_item", item_id, in_path=True)
    _change(state, item["subscription"], {"id": item_id}, params)
    return item


@route("DELETE", "/v1/subscription_items/{id}", _HOW)
def delete_item(state: StripeState, params: Params, item_id: str) -> Object:
    item: Object = state.find("subscription_item", item_id, in_path=True)
    _change(state, item["subscription"], {"id": item_id, "deleted": True}, params)
    return {"id": item_id, "object": "subscription_item", "deleted": True}


def _change(state: StripeState, subscription: str, item: Params, params: Params) -> None:
    how = {name: params.pop(name) for name in _HOW if name in params}
    update_subscription(state, how | {"items": [item | params]}, subscription)

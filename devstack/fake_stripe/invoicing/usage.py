"""Billing meters: usage is sent as meter events and billed at the end of a period."""

from devstack.fake_stripe.catalogue import pricing
from devstack.fake_stripe.catalogue.currencies import price_of
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.invoicing import lines as invoice_lines
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    Params,
    Required,
    choice,
    hash_of,
    integer,
    metadata,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.state import StripeState


@route(
    "POST",
    "/v1/billing/meters",
    {
        "customer_mapping": hash_of({"event_payload_key": text, "type": choice("by_id")}),
        "default_aggregation": Required(hash_of({"formula": Required(choice("count", "sum"))})),
        "display_name": Required(text),
        "event_name": Required(text),
        "value_settings": hash_of({"event_payload_key": text}),
    },
)
def create_meter(state: StripeState, params: Params) -> Object:
    defaults: Object = {"status": "active", "event_time_window": None}
    defaults["customer_mapping"] = {"event_payload_key": "stripe_customer_id", "type": "by_id"}
    defaults["value_settings"] = {"event_payload_key": "value"}
    meter = state.new("billing.meter", "mtr", defaults | params)
    state.emit("billing.meter.created", meter)
    return meter


@route(
    "POST",
    "/v1/billing/meter_events",
    {
        "event_name": Required(text),
        "identifier": text,
        "payload": Required(metadata),
        "timestamp": integer,
    },
)
def create_meter_event(state: StripeState, params: Params) -> Object:
    name, payload = params["event_name"], params["payload"]
    meter = next(state.all("billing.meter", event_name=name), None)
    if meter is None:
        raise StripeError(f"No active meter found for event name {name}.", param="event_name")
    customer = payload.get(meter["customer_mapping"]["event_payload_key"])
    customer_object: Object = state.find("customer", customer or "", "payload[stripe_customer_id]")
    value = payload.get(meter["value_settings"]["event_payload_key"], "1")
    if not value.isdecimal():
        raise StripeError(f"Invalid value: {value}", param="payload[value]")
    identifier = params.get("identifier") or state.new_id("identifier")
    at = params.get("timestamp", state.now(customer_object))
    kept = {"_meter": meter["id"], "_customer": customer, "_value": int(value)}
    kept |= {"id": identifier, "identifier": identifier, "event_name": name, "timestamp": at}
    return state.new("billing.meter_event", "", kept | {"payload": payload})


def lines(state: StripeState, subscription: Object, start: int, end: int) -> list[Object]:
    """Return the usage of metered items within [start, end), Unix seconds."""
    metered = []
    for item_id in subscription["_items"]:
        item = state.get("subscription_item", item_id)
        price = price_of(state, item)
        if item["quantity"] is None:
            quantity = _used(state, price, subscription["customer"], start, end)
            metered.append(
                invoice_lines.line(
                    state,
                    pricing.amount(price, quantity),
                    (start, end),
                    f"{quantity} × {state.get('product', price['product'])['name']}",
                    currency=price["currency"],
                    item=item,
                    price=price,
                    quantity=quantity,
                )
            )
    return metered


def _used(state: StripeState, price: Object, customer: str, start: int, end: int) -> int:
    meter = state.get("billing.meter", price["recurring"]["meter"])
    values = [
        event["_value"]
        for event in state.all("billing.meter_event", _meter=meter["id"], _customer=customer)
        if start <= event["timestamp"] < end
    ]
    formula = meter["default_aggregation"]["formula"]
    return sum(values) if formula == "sum" else len(values)


readable("billing.meter", "/v1/billing/meters", status=text)

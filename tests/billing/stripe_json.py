"""Realistic Stripe JSON, and a gateway that has it stored."""

from datetime import UTC, datetime

from billing.calculations.cash import Returned
from billing.calculations.history import customer_history
from billing.calculations.mrr import mrr
from billing.calculations.subscription import subscription_state
from billing.stripe import gateway


def at(text):
    """Return the Unix seconds of a day or time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def price(amount=1000, interval="month", count=1, *, currency="usd", **more):
    return {
        "id": f"price_{amount}_{interval}_{count}",
        "object": "price",
        "currency": currency,
        "billing_scheme": "per_unit",
        "unit_amount": amount,
        "product": "prod_a",
        "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"},
        "type": "recurring",
    } | more


def tiered(mode, *tiers, interval="month"):
    """Return a price of tiers (up_to, unit_amount, flat_amount)."""
    rows = [{"up_to": up, "unit_amount": unit, "flat_amount": flat} for up, unit, flat in tiers]
    scheme = {"billing_scheme": "tiered", "unit_amount": None, "tiers_mode": mode, "tiers": rows}
    return price(0, interval) | scheme


def item(own_price=None, quantity=1, **more):
    end = {"current_period_start": at("2024-01-01"), "current_period_end": at("2024-02-01")}
    return {"id": "si_1", "object": "subscription_item", "price": own_price or price()} | {
        "quantity": quantity,
        **end,
        **more,
    }


def coupon(*, percent=None, amount=None, duration="forever", start="2024-01-01", end=None, **more):
    """Return a discount of a coupon."""
    return {
        "id": "di_1",
        "object": "discount",
        "start": at(start),
        "end": end and at(end),
        "coupon": {
            "id": "coupon",
            "duration": duration,
            "percent_off": percent,
            "amount_off": amount,
            "currency": None if amount is None else "usd",
        }
        | more,
    }


def subscription(*items, status="active", created="2024-01-01", **more):
    """Return a subscription in Stripe's current format; times are passed as texts."""
    moments = "trial_start trial_end canceled_at cancel_at ended_at".split()
    converted = {name: value and at(value) for name, value in more.items() if name in moments}
    return {
        "id": "sub_1",
        "object": "subscription",
        "customer": "cus_1",
        "status": status,
        "currency": (items[0]["price"] if items else price())["currency"],
        "created": at(created),
        "start_date": at(created),
        "items": {"object": "list", "data": list(items) or [item()], "has_more": False},
        "discounts": [],
        "cancel_at_period_end": False,
        "pause_collection": None,
        **dict.fromkeys(moments),
        **more,
        **converted,
    }


def event(kind, moment, subscription_json, *, event_id=None, before=None):
    """Return the event of a subscription's state at a time (a text)."""
    return {
        "id": event_id or f"evt_{subscription_json['id']}_{kind}_{moment}",
        "object": "event",
        "type": f"customer.subscription.{kind}",
        "created": at(moment),
        "data": {
            "object": subscription_json,
            **({"previous_attributes": before} if before else {}),
        },
    }


def monthly(*items, day="2024-01-15", **more):
    """Return the MRR of a subscription at the beginning of a day, as an exact fraction."""
    return mrr(subscription_state(subscription(*items, **more)), at(day))


def history(*events, stored=()):
    return customer_history(stored, events)


class Store:
    """Events and objects from Stripe, and the persons of customers."""

    def __init__(self):
        self.clear()

    def record(self, kind, moment, subscription_json, **more):
        """Store an event and, as the gateway does, its subscription."""
        self.events.append(event(kind, moment, subscription_json, **more))
        self.subscriptions[subscription_json["id"]] = subscription_json

    def clear(self):
        self.subscriptions, self.events, self.persons = {}, [], {}
        self.invoice_rows, self.refund_rows, self.note_rows = [], [], []
        self.charges, self.closings = {}, {}  # by id

    def install(self, monkeypatch):
        for name in "subscriptions_of subscription_events invoices returned credit_notes".split():
            monkeypatch.setattr(gateway, name, getattr(self, name))
        monkeypatch.setattr(gateway, "subscribing_customers", self.customers)
        monkeypatch.setattr(
            gateway,
            "persons_of",
            lambda ids: {
                customer_id: self.persons[customer_id]
                for customer_id in ids
                if customer_id in self.persons
            },
        )
        return self

    def customers(self):
        event_objects = (event["data"]["object"] for event in self.events)
        return {
            subscription_json["customer"]
            for subscription_json in (*self.subscriptions.values(), *event_objects)
        }

    def subscriptions_of(self, ids=None):
        rows = list(self.subscriptions.values())
        return iter(row for row in rows if ids is None or row["customer"] in ids)

    def subscription_events(self, ids=None):
        rows = [*self.events]
        return iter(e for e in rows if ids is None or e["data"]["object"]["customer"] in ids)

    def invoices(self, ids=None):
        return iter(r for r in self.invoice_rows if ids is None or r["customer"] in ids)

    def returned(self, ids=None, *, charges=()):
        """Yield refunds and disputes, as the gateway does: by the customers of their charges."""
        for row in self.refund_rows:
            charge = self.charges.get(row["charge"], {})
            if ids is None or charge.get("customer") in ids or row["charge"] in charges:
                yield Returned(row, charge, self.closings.get(row["id"]))

    def credit_notes(self, ids=None):
        return iter(r for r in self.note_rows if ids is None or r["customer"] in ids)

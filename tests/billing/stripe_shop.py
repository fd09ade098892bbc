"""A shop at the fake Stripe: a catalogue, and customers who subscribe."""

import requests

from analytics.ingestion import ingest
from analytics.models import DistinctId
from billing.api.stripe_webhook import WEBHOOK_ID
from billing.stripe import gateway
from tests.events import NOON, record

WEBHOOK = f"/api/billing/stripe/webhook/{WEBHOOK_ID}/"


class Shop:
    """Sells seats for 20 USD a month; everything happens at Stripe, over HTTP."""

    def __init__(self, stripe):
        self.stripe = stripe
        self.call = gateway.call
        product = self.call("post", "/v1/products", name="Pro")
        self.product = product["id"]
        self.price = self.priced(2000)

    def priced(self, amount, interval="month"):
        price = self.call(
            "post",
            "/v1/prices",
            product=self.product,
            currency="usd",
            unit_amount=amount,
            recurring={"interval": interval},
        )
        return price["id"]

    def customer(self, distinct_id="", **more):
        metadata = {"distinct_id": distinct_id} if distinct_id else {}
        customer = self.call(
            "post",
            "/v1/customers",
            metadata=metadata,
            payment_method="pm_card_visa",
            invoice_settings={"default_payment_method": "pm_card_visa"},
            **more,
        )
        return customer["id"]

    def subscribes(self, customer, price="", **more):
        items = [{"price": price or self.price}]
        return self.call("post", "/v1/subscriptions", customer=customer, items=items, **more)

    def pays(self, session):
        """Pay on the page of a checkout session."""
        answer = requests.post(session["url"], {"action": "pay"}, timeout=10, allow_redirects=False)
        assert answer.status_code == 303

    def changes(self, subscription, **more):
        return self.call("post", f"/v1/subscriptions/{subscription['id']}", **more)

    def delivered(self, client):
        """Deliver all events to a client, and return the statuses."""
        return [deliver(client, self.stripe, event) for event in self.stripe.events]


def deliver(client, stripe, event):
    body, signature = stripe.signed(event)
    answer = client.post(
        WEBHOOK, body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    return answer.status_code


def create_person(distinct_id, *, proved=False):
    """Create a person with a distinct id."""
    ingest.store([record(distinct_id=distinct_id, timestamp=NOON)])
    DistinctId.objects.filter(pk=distinct_id).update(proved=proved)

"""Webhooks: response time compared with dj-stripe alone, and replays in any order, twice."""

import json
import random
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any

import stripe
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import RequestFactory
from djstripe.models import APIKey, WebhookEndpoint
from djstripe.views import ProcessWebhookView

from benchmarks import dataset
from billing.api.stripe_webhook import WEBHOOK_ID, webhook
from billing.models import MrrMovement, RevenueCustomer
from billing.stripe import gateway, loading
from devstack.fake_stripe import FakeStripe

EVENTS = 1_000


def run(scale: float) -> None:
    dataset.use_database("bench_webhooks")
    call_command("migrate", verbosity=0)
    server = FakeStripe(seed=1)
    server.start()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = server.api_key, server.url
    settings.STRIPE_WEBHOOK_SECRETS = [server.webhook_secret]
    stripe.api_base = server.url
    try:
        events = _mixed_events(server, int(EVENTS * scale))
        _answering(server, events)
        _replaying(events)
    finally:
        server.stop()


def _answering(server: FakeStripe, events: list[dict[str, Any]]) -> None:
    """Time both views in turn, event by event, each with the same signed request."""
    call_command("flush", interactive=False, verbosity=0)
    APIKey.objects.get_or_create_by_api_key(server.api_key)
    endpoint = WebhookEndpoint.objects.create(
        id="we_bench", secret=server.webhook_secret, enabled_events=["*"], url=server.url
    )
    theirs, ours = [], []
    for event in events[:300]:
        body, signature = server.signed(event)
        request = {"data": body, "content_type": "application/json"}
        headers = {"Stripe-Signature": signature}
        webhook_request = RequestFactory().post("/", headers=headers, **request)
        theirs.append(
            _seconds(
                lambda a=webhook_request: ProcessWebhookView.as_view()(a, endpoint.djstripe_uuid)
            )
        )
        webhook_request = RequestFactory().post("/", headers=headers, **request)
        ours.append(_seconds(lambda a=webhook_request: webhook(a, str(WEBHOOK_ID))))
    ratio = sum(ours) / sum(theirs)
    print(f"  dj-stripe {1e3 * median(theirs):.1f} ms, Plumbline {1e3 * median(ours):.1f} ms")
    print(f"    ratio of the sums {ratio:.2f} (at most 1.5); Plumbline applies afterwards")


def _replaying(events: list[dict[str, Any]]) -> None:
    once, seconds = _ledger_after(events)
    print(f"  {len(events):,} events applied in order: {1e3 * seconds / len(events):.1f} ms each")
    shuffled = events * 2
    random.Random(1).shuffle(shuffled)
    twice, _ = _ledger_after(shuffled)
    assert once == twice
    print(f"    twice and shuffled: the same ledger of {len(once[0]):,} movements")


def _ledger_after(events: list[dict[str, Any]]) -> tuple[Any, float]:
    with transaction.atomic():
        start = perf_counter()
        loading.load(json.dumps(event) for event in events)
        seconds = perf_counter() - start
        movements = MrrMovement.objects.order_by("customer_id", "day", "currency")
        customers = RevenueCustomer.objects.order_by("customer_id")
        without_ids = [row[1:] for row in movements.values_list()[1:]]
        rows = without_ids, list(customers.values_list())
        transaction.set_rollback(True)
    return rows, seconds


def _mixed_events(server: FakeStripe, wanted: int) -> list[dict[str, Any]]:
    """Let customers subscribe, change, cancel and pay at the fake Stripe."""
    call = gateway.call
    product = call("post", "/v1/products", name="Pro")["id"]
    prices = [
        call(
            "post",
            "/v1/prices",
            product=product,
            currency="usd",
            unit_amount=amount,
            recurring={"interval": interval},
        )["id"]
        for amount, interval in ((2_000, "month"), (5_000, "month"), (50_000, "year"))
    ]
    dice = random.Random(1)
    while len(server.events) < wanted:
        customer = call(
            "post",
            "/v1/customers",
            payment_method="pm_card_visa",
            invoice_settings={"default_payment_method": "pm_card_visa"},
        )["id"]
        items = [{"price": dice.choice(prices), "quantity": dice.randint(1, 5)}]
        subscription = call("post", "/v1/subscriptions", customer=customer, items=items)
        item = {"id": subscription["items"]["data"][0]["id"], "price": dice.choice(prices)}
        call("post", f"/v1/subscriptions/{subscription['id']}", items=[item])
        if dice.random() < 0.4:
            call("delete", f"/v1/subscriptions/{subscription['id']}")
    return list(islice(server.events, wanted))


def _seconds(do: Any) -> float:
    start = perf_counter()
    answer = do()
    seconds = perf_counter() - start
    assert answer.status_code == 200, answer.content
    return seconds

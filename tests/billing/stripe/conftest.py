"""What a person buys at the fake Stripe, and calls to our endpoints about it."""

import pytest

ENDPOINTS = "/api/billing/stripe/"


@pytest.fixture
def ask(admin_client):
    def ask(endpoint, *, key="", **body):
        headers = {"Idempotency-Key": key} if key else {}
        body = {"distinct_id": "ada"} | body
        return admin_client.post(
            ENDPOINTS + endpoint, body, content_type="application/json", headers=headers
        )

    return ask


@pytest.fixture
def subscribed(shop, client):
    subscription = shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    return subscription

"""The fake Stripe server as a fixture, and the real `stripe` library pointed at it."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from devstack.fake_stripe import FakeStripe


@pytest.fixture
def fake_stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    """A fresh fake Stripe: set `webhook_url`, and `deliver()` sends the waiting events."""
    server = FakeStripe(seed=1)
    server.start()
    monkeypatch.setattr(stripe, "api_base", server.url)
    monkeypatch.setattr(stripe, "api_key", server.api_key)
    monkeypatch.setattr(stripe, "max_network_retries", 0)
    monkeypatch.setattr(stripe, "default_http_client", None)
    yield server
    server.stop()


@pytest.fixture
def stripe_account(fake_stripe: FakeStripe, settings: Any) -> FakeStripe:
    """A Stripe account that Plumbline is connected to."""
    settings.STRIPE_SECRET_KEY = fake_stripe.api_key
    settings.STRIPE_API_BASE, settings.STRIPE_IS_FAKE = fake_stripe.url, True
    settings.STRIPE_WEBHOOK_SECRETS = [fake_stripe.webhook_secret]
    return fake_stripe

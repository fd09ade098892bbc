"""What people pay, without a Stripe server."""

from datetime import UTC, datetime

import pytest
from django.utils.module_loading import import_string

from billing.stripe import gateway
from common import queueing


class Paying:
    """What the Stripe gateway answers about people."""

    def __init__(self):
        self.prices: dict[int, list[str]] = {}
        self.periods: dict[int, tuple[datetime, datetime]] = {}

    def subscribes(self, person_id, *price_ids, period=None):
        self.prices[person_id] = list(price_ids)
        if period:
            start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in period)
            self.periods[person_id] = (start, end)


@pytest.fixture
def paying(monkeypatch):
    answers = Paying()
    monkeypatch.setattr(
        gateway, "current_price_ids", lambda person_id: answers.prices.get(person_id, [])
    )
    monkeypatch.setattr(gateway, "current_period", answers.periods.get)
    monkeypatch.setattr(
        gateway,
        "checkout_url",
        lambda person, price_id: f"https://checkout.example/{price_id}/{person.pk}",
    )
    return answers


@pytest.fixture
def sender(settings):
    """An address that e-mails are sent from."""
    settings.PLUMBLINE_EMAIL_FROM = "hello@plumbline.example"


@pytest.fixture
def worker(monkeypatch):
    """A worker that runs every enqueued task immediately, found by its name."""
    monkeypatch.setattr(
        queueing, "enqueue", lambda name, *arguments, **_: import_string(name)(*arguments)
    )

"""What people pay, without a Stripe server."""

from datetime import UTC, datetime

import pytest
from django.utils.module_loading import import_string

from billing.calculations.billing_period import BillingPeriod, PaidItem
from billing.stripe import gateway
from common import queueing


class Paying:
    """What the Stripe gateway answers about people."""

    def __init__(self):
        self.items: dict[int, list[PaidItem]] = {}

    def subscribes(self, person_id, *price_ids, period=None):
        edges = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in period or ()]
        own = equal_periods(*edges) if edges else None
        self.items[person_id] = [PaidItem(price_id=price, period=own) for price in price_ids]

    def paid_items_of(self, person_id):
        return self.items.get(person_id, [])


def equal_periods(start, end):
    return BillingPeriod(start=start, end=end, length=end - start, anchor_day=start.day)


@pytest.fixture
def paying(monkeypatch):
    answers = Paying()
    monkeypatch.setattr(gateway, "paid_items_of", answers.paid_items_of)
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

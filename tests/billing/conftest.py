"""What people pay, told by a Stripe that is not there."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from billing import tasks
from billing.stripe import events, gateway


class Paying:
    """What the Stripe gateway says of persons."""

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
    told = Paying()
    monkeypatch.setattr(
        gateway, "current_price_ids", lambda person_id: told.prices.get(person_id, [])
    )
    monkeypatch.setattr(gateway, "current_period", told.periods.get)
    monkeypatch.setattr(
        gateway,
        "checkout_url",
        lambda person, price_id: f"https://checkout.example/{price_id}/{person.pk}",
    )
    return told


@pytest.fixture
def worker(monkeypatch):
    """A worker that does at once what it is asked."""
    monkeypatch.setattr(
        events, "enqueue", lambda event_id: events.apply(event_id, now=timezone.now())
    )
    monkeypatch.setattr(events, "enqueue_following", tasks.follow_stripe)

"""Customers, the people they are, and spend, for tests. Amounts are cents."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from analytics.models import Person
from billing.models import FxRate
from growth.calculations.spend.lines import SpendLine
from growth.models import SpendDay
from growth.spend import recording
from tests.billing.stripe_json import item, price, subscription

NOW = datetime(2024, 7, 1, 9, tzinfo=UTC)
AS_OF = date(2024, 6, 30)
WINDOW_FROM = date(2024, 4, 2)


def subscribe(stripe, number, amount=1000, *, since="2024-01-01", until=None):
    """Record the subscription of a customer."""
    ids = {"id": f"sub_{number}", "customer": f"cus_{number}"}
    stripe.record("created", since, subscription(item(price(amount)), created=since) | ids)
    if until:
        over = subscription(item(price(amount)), created=since, status="canceled", ended_at=until)
        stripe.record("deleted", until, over | ids)


def person(signup, *, source="", before=timedelta(hours=1), once=True):
    """Create a person who signed up on a day, and whose source was stored before that."""
    signup_at = datetime.fromisoformat(signup).replace(tzinfo=UTC)
    micros = round((signup_at - before).timestamp() * 1_000_000)
    properties = {"$initial_utm_source": source} if source else {}
    return Person.objects.create(
        signup_at=signup_at,
        properties=properties,
        claimed=properties,
        set_at=dict.fromkeys(properties, -micros if once else micros),
    )


def line(amount=9000, first="2024-06-01", last="", *, channel="google", **more):
    more = {"currency": "usd"} | more
    first_day = date.fromisoformat(first)
    last_day = date.fromisoformat(last) if last else first_day
    return SpendLine(channel=channel, first=first_day, last=last_day, amount=amount, **more)


def record(*lines, **more):
    return recording.save(lines, now=NOW, **more)


def rate(value="1.10", day="2024-06-01", currency="eur"):
    values = {"currency": currency, "into": "usd", "day": date.fromisoformat(day)}
    return FxRate.objects.create(rate=Decimal(value), **values)


def stored():
    """Return the day of the month, the amount and the reported amount of every row."""
    rows = SpendDay.objects.order_by("day", "channel", "campaign")
    return [(row.day.day, row.amount, row.reported) for row in rows]

"""What can be read of a Stripe object, even one that is held: the unreadable is absent."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from billing.calculations.stripe_fields import id_of

Json = Mapping[str, Any]


def moment_in(owner: Json, name: str) -> datetime | None:
    """Return the moment of a Unix time in seconds."""
    seconds = owner.get(name)
    if type(seconds) is not int:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def object_in(owner: Json, name: str) -> Json:
    """Return an object within an object, empty if there is none."""
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def number_in(owner: Json, name: str) -> int | None:
    value = owner.get(name)
    return value if type(value) is int else None


def text_in(owner: Json, name: str) -> str | None:
    value = owner.get(name)
    return value if isinstance(value, str) else None


def items_in(subscription: Json) -> list[Json]:
    """Return the items; in old versions a subscription had a single plan instead: none."""
    items = subscription.get("items")
    rows = items.get("data") if isinstance(items, dict) else items
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def price_in(row: Json) -> Json:
    """Return the price of an item, or the plan of old versions, which may be only an id."""
    price = row.get("price") or row.get("plan")
    return price if isinstance(price, dict) else {"id": id_of(price, "price", default="")}


def period_in(
    subscription: Json, row: Json | None = None
) -> tuple[datetime | None, datetime | None]:
    """Return the current period of an item, the first by default; until 2025 the subscription's."""
    if row is None:
        row = next(iter(items_in(subscription)), {})
    start, end = (
        moment_in(row, name) or moment_in(subscription, name)
        for name in ("current_period_start", "current_period_end")
    )
    return start, end

"""Thin events of Stripe's API v2, which name an object and do not contain it.

https://docs.stripe.com/event-destinations#thin-events
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.calculations.stripe_fields import UnusableStripeObject

THIN_FIELDS = ("id", "object", "type", "created", "livemode", "related_object")  # not personal
WHY_THIN_IGNORED = (
    "Thin events do not contain their object: subscribe this endpoint to snapshot events."
)


def is_thin(event: Mapping[str, Any]) -> bool:
    return str(event.get("object")).startswith("v2.")


def thin_moment(event: Mapping[str, Any]) -> datetime:
    """Return when a thin event happened: the API v2 writes times in ISO 8601."""
    created = event.get("created")
    try:
        moment = datetime.fromisoformat(created)  # type: ignore[arg-type]  # raises TypeError
    except (TypeError, ValueError) as error:
        raise UnusableStripeObject("created", f"{created!r} is not a time") from error
    if moment.tzinfo is None:
        raise UnusableStripeObject("created", f"{created!r} has no time zone")
    return moment

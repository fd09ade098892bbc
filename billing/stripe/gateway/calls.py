"""Calls to Stripe's API. Answers are plain JSON, errors `StripeProblem`."""

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

import stripe
from django.conf import settings

Json = dict[str, Any]

TIMEOUT = 20  # seconds
_PAGE = 100  # the most that Stripe gives at once

PATHS = {
    "product": "/v1/products",
    "price": "/v1/prices",
    "coupon": "/v1/coupons",
    "customer": "/v1/customers",
    "subscription": "/v1/subscriptions",
    "invoice": "/v1/invoices",
    "charge": "/v1/charges",
    "refund": "/v1/refunds",
    "dispute": "/v1/disputes",
    "checkout.session": "/v1/checkout/sessions",
    "event": "/v1/events",
}
# Four levels at most, counted from the answer: `data.` of a list is one of them.
_EXPANDED = {
    "price": ["tiers"],
    "coupon": ["applies_to"],
    "subscription": ["discounts", "items.data.discounts"],
    "invoice": ["payments"],
}

# What is answered for Stripe's errors, and what is said; nothing: Stripe's own words.
_ANSWERS: list[tuple[type[stripe.StripeError], HTTPStatus, str]] = [
    (stripe.CardError, HTTPStatus.PAYMENT_REQUIRED, ""),
    (stripe.IdempotencyError, HTTPStatus.CONFLICT, ""),
    (stripe.RateLimitError, HTTPStatus.SERVICE_UNAVAILABLE, "Stripe asks to call less often."),
    (stripe.InvalidRequestError, HTTPStatus.BAD_REQUEST, ""),
    (stripe.AuthenticationError, HTTPStatus.BAD_GATEWAY, "Stripe refuses STRIPE_SECRET_KEY."),
    (stripe.PermissionError, HTTPStatus.BAD_GATEWAY, "STRIPE_SECRET_KEY may not do this."),
    (stripe.APIConnectionError, HTTPStatus.SERVICE_UNAVAILABLE, "Stripe cannot be reached."),
]


class StripeProblem(Exception):
    """Stripe refused, or cannot be reached. `field` is the parameter at fault, "" if none is."""

    def __init__(
        self, status: int, message: str, *, field: str = "", missing: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.field, self.missing = status, field, missing


def is_set_up() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def call(method: str, path: str, *, idempotency_key: str = "", **parameters: Any) -> Json:
    """Call Stripe and return its answer."""
    if not is_set_up():
        raise StripeProblem(
            HTTPStatus.SERVICE_UNAVAILABLE, "Stripe is not set up: STRIPE_SECRET_KEY is empty."
        )
    options = {"idempotency_key": idempotency_key} if idempotency_key else {}
    client = _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)
    try:
        answer = client.raw_request(method, path, **parameters, **options)
    except stripe.StripeError as error:
        raise _problem(error) from error
    return dict(answer.data)


def fetch(kind: str, object_id: str) -> Json | None:
    """Return an object as Stripe knows it now, None where Stripe knows it no more."""
    try:
        found = call("get", f"{PATHS[kind]}/{object_id}", expand=_EXPANDED.get(kind, []))
    except StripeProblem as problem:
        if problem.missing:
            return None
        raise
    return _with_all_items(found)


def every(kind: str, **filters: Any) -> Iterator[Json]:
    """Yield all objects of a kind, newest first, page by page."""
    expand = [f"data.{name}" for name in _EXPANDED.get(kind, [])]
    page: Json = {"has_more": True}
    while page["has_more"]:
        page = call("get", PATHS[kind], limit=_PAGE, expand=expand, **filters)
        for found in page["data"]:
            yield _with_all_items(found)
        filters["starting_after"] = page["data"][-1]["id"] if page["data"] else ""


def _with_all_items(found: Json) -> Json:
    """Return a subscription with all its items: Stripe sends the first ten with it."""
    items = found.get("items")
    if found.get("object") != "subscription" or not (items and items.get("has_more")):
        return found
    page, rows = items, list(items["data"])
    while page["has_more"]:
        page = call(
            "get",
            "/v1/subscription_items",
            subscription=found["id"],
            limit=_PAGE,
            starting_after=rows[-1]["id"],
            expand=["data.discounts"],
        )
        rows += page["data"]
    return found | {"items": items | {"data": rows, "has_more": False}}


@cache
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": base},
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )


def _problem(error: stripe.StripeError) -> StripeProblem:
    message = error.user_message or "Stripe gives no reason."
    field = getattr(error, "param", None) or ""
    missing = error.http_status == HTTPStatus.NOT_FOUND or error.code == "resource_missing"
    for kind, status, said in _ANSWERS:
        if isinstance(error, kind):
            return StripeProblem(status, said or message, field=field, missing=missing)
    return StripeProblem(HTTPStatus.BAD_GATEWAY, f"Stripe failed: {message}")

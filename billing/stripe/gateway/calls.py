"""Calls to Stripe's API. Responses are plain JSON, errors are `StripeProblem`."""

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import stripe
from django.conf import settings

from billing.stripe.gateway.storable import storable

Json = dict[str, Any]

TIMEOUT = 20  # seconds
_PAGE = 100  # Stripe's maximum

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
# At most four levels, counted from the response; a list's `data.` counts as a level.
_EXPANDED = {
    "price": ["tiers", "currency_options"],
    "coupon": ["applies_to", "currency_options"],
    # A deleted coupon is nowhere but on the discounts that have it.
    "subscription": ["discounts.source.coupon", "items.data.discounts"],
    "invoice": ["payments"],
}
_EXPANDED_ALONE = _EXPANDED | {  # a list has a level less
    "subscription": [
        "discounts.source.coupon.applies_to",
        "discounts.source.coupon.currency_options",
        "items.data.discounts",
    ],
}

# Status and text of the API's response to Stripe's errors; "": Stripe's own text.
_RESPONSES: list[tuple[type[stripe.StripeError], HTTPStatus, str]] = [
    (stripe.CardError, HTTPStatus.PAYMENT_REQUIRED, ""),
    (stripe.IdempotencyError, HTTPStatus.CONFLICT, ""),
    (
        stripe.RateLimitError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Stripe's rate limit is exceeded, retry later.",
    ),
    (stripe.InvalidRequestError, HTTPStatus.BAD_REQUEST, ""),
    (stripe.AuthenticationError, HTTPStatus.BAD_GATEWAY, "Stripe rejects STRIPE_SECRET_KEY."),
    (stripe.PermissionError, HTTPStatus.BAD_GATEWAY, "STRIPE_SECRET_KEY lacks the permission."),
    (stripe.APIConnectionError, HTTPStatus.SERVICE_UNAVAILABLE, "Stripe is unavailable."),
]


class StripeProblem(Exception):
    """Stripe refused, or is unavailable. `field` is the invalid parameter, "" if there is none."""

    def __init__(
        self, status: int, message: str, *, field: str = "", missing: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.field, self.missing = status, field, missing


def is_set_up() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def call(method: str, path: str, *, idempotency_key: str = "", **parameters: Any) -> Json:
    """Call Stripe and return its response."""
    if not is_set_up():
        raise StripeProblem(
            HTTPStatus.SERVICE_UNAVAILABLE, "Stripe is not set up: STRIPE_SECRET_KEY is empty."
        )
    options = {"idempotency_key": idempotency_key} if idempotency_key else {}
    client = _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)
    try:
        response = client.raw_request(method, path, **parameters, **options)
    except stripe.StripeError as error:
        raise _problem(error) from error
    return dict(storable(response.data))


def path_of(kind: str, object_id: str) -> str:
    """Return the path of an object. People choose ids of coupons, plans and products."""
    return f"{PATHS[kind]}/{quote(object_id, safe='')}"


def fetch(kind: str, object_id: str) -> Json | None:
    """Return an object as it is at Stripe now, None if it no longer exists there."""
    try:
        stripe_json = call("get", path_of(kind, object_id), expand=_EXPANDED_ALONE.get(kind, []))
    except StripeProblem as problem:
        if problem.missing:
            return None
        raise
    return _with_all_items(stripe_json)


def every(kind: str, **filters: Any) -> Iterator[Json]:
    """Yield all objects of a kind, newest first, page by page."""
    expand = [f"data.{name}" for name in _EXPANDED.get(kind, [])]
    page: Json = {"has_more": True}
    while page["has_more"]:
        page = call("get", PATHS[kind], limit=_PAGE, expand=expand, **filters)
        for stripe_json in page["data"]:
            yield _with_all_items(stripe_json)
        filters["starting_after"] = page["data"][-1]["id"] if page["data"] else ""


def _with_all_items(stripe_json: Json) -> Json:
    """Return a subscription with all its items: Stripe includes only the first ten."""
    items = stripe_json.get("items")
    if stripe_json.get("object") != "subscription" or not (items and items.get("has_more")):
        return stripe_json
    page, rows = items, list(items["data"])
    while page["has_more"]:
        page = call(
            "get",
            "/v1/subscription_items",
            subscription=stripe_json["id"],
            limit=_PAGE,
            starting_after=rows[-1]["id"],
            expand=["data.discounts"],
        )
        rows += page["data"]
    return stripe_json | {"items": items | {"data": rows, "has_more": False}}


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
    message = error.user_message or "Stripe gave no reason."
    field = getattr(error, "param", None) or ""
    missing = error.http_status == HTTPStatus.NOT_FOUND or error.code == "resource_missing"
    for kind, status, text in _RESPONSES:
        if isinstance(error, kind):
            return StripeProblem(status, text or message, field=field, missing=missing)
    return StripeProblem(HTTPStatus.BAD_GATEWAY, f"Stripe failed: {message}")

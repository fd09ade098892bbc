"""The headers of requests: the API key, the version, the idempotency key."""

import re
from base64 import b64decode
from email.message import Message

from devstack.fake_stripe.errors import StripeError

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")
_LONGEST_KEY = 255  # characters of an idempotency key


def api_key(authorization: str) -> str:
    """Return the key, sent as a bearer token or as the user of HTTP Basic Auth; "" without one."""
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, _ = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return user


def check_headers(headers: Message) -> None:
    """Refuse headers that Stripe refuses."""
    if not str(headers.get("Idempotency-Key", "")).isascii():
        raise StripeError("Idempotency-Key: invalid header.")
    if len(headers.get("Idempotency-Key", "")) > _LONGEST_KEY:
        raise StripeError(f"Idempotency-Key: at most {_LONGEST_KEY} characters.")
    version = headers.get("Stripe-Version")
    if version is not None and not _VERSION.fullmatch(version):
        raise StripeError(f"Invalid Stripe API version: {version}.")

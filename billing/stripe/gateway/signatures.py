"""Verify that a webhook was signed by Stripe."""

import time
from typing import Any

import stripe
from django.conf import settings

from common.calculations.json_reading import read_json

TOLERANCE = 300  # seconds between Stripe's signing and our reading, in either direction


class BadSignature(Exception):
    """Not signed by Stripe with one of our secrets, or too long ago."""


def verified(body: bytes, signature: str) -> dict[str, Any]:
    """Return the event of a signed body. Several secrets are valid during a rotation.

    Raise BadSignature, and ValueError if the signed body is not a JSON object that can be
    stored.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadSignature("The body is not text.") from error
    if not signature.isascii():
        raise BadSignature("The Stripe-Signature header is not ASCII text.")
    if _signed_at(signature) > time.time() + TOLERANCE:  # the library compares with the past only
        raise BadSignature("The signature's time is in the future.")
    problem = "The signature is wrong."
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE)
            break
        except stripe.SignatureVerificationError as error:
            problem = error.user_message or problem
    else:
        raise BadSignature(problem)
    event = read_json(body)
    if not isinstance(event, dict):
        raise ValueError("The body is not a JSON object.")  # noqa: TRY004
    return event


def _signed_at(signature: str) -> int:
    """Return the Unix time in a Stripe-Signature header such as "t=1492774577,v1=5257a8...,"."""
    fields = dict(reversed([part.partition("=")[::2] for part in signature.split(",")]))
    if not fields.get("t", "").isdecimal():
        raise BadSignature("The Stripe-Signature header is missing or has no time.")
    return int(fields["t"])

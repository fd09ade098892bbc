"""Verify that a webhook was signed by Stripe."""

import json
from typing import Any

import stripe
from django.conf import settings

TOLERANCE = 300  # seconds between Stripe's signing and our reading


class BadSignature(Exception):
    """Not signed by Stripe with one of our secrets, or too long ago."""


def verified(body: bytes, signature: str) -> dict[str, Any]:
    """Return the event of a signed body. Several secrets are valid during a rotation.

    Raise BadSignature, and ValueError if the signed body is not a JSON object.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadSignature("The body is not text.") from error
    problem = "The Stripe-Signature header is missing."
    for secret in settings.STRIPE_WEBHOOK_SECRETS if signature else ():
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE)
            break
        except stripe.SignatureVerificationError as error:
            problem = error.user_message or "The signature is wrong."
    else:
        raise BadSignature(problem)
    event = json.loads(text)
    if not isinstance(event, dict):
        raise ValueError("The body is not a JSON object.")  # noqa: TRY004
    return event

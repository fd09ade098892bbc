"""Whether a webhook is Stripe's."""

import json
from typing import Any

import stripe
from django.conf import settings

TOLERANCE = 300  # seconds between Stripe's signing and our reading


class BadSignature(Exception):
    """Not signed by Stripe with a secret of ours, or too long ago."""


def verified(body: bytes, signature: str) -> dict[str, Any]:
    """Return the event of a signed body; several secrets count while one replaces another.

    Raise BadSignature, and ValueError where what is signed is no JSON object.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadSignature("The body is no text.") from error
    problem = "There is no Stripe-Signature."
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
        raise ValueError("The body is no JSON object.")  # noqa: TRY004
    return event

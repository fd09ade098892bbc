"""Identifiers of our own that stay the same, and that outsiders cannot compute."""

from uuid import UUID

from django.utils.crypto import salted_hmac


def keyed_uuid(purpose: str, *key: str) -> UUID:
    """Return the uuid of a purpose and key: an HMAC by SECRET_KEY, as their names are guessable.

    Someone who knew the uuid of an event or message of ours in advance could send another one with
    it first, and ours would be dropped as its duplicate.
    """
    parts = "\0".join(key)
    digest = salted_hmac(f"plumbline.{purpose}", parts, algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=5)

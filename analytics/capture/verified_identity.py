"""The project's identity secret, and what the events of a request are worth."""

import secrets
from collections.abc import Collection
from datetime import datetime

import psycopg
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from analytics.calculations.people.identity_hash import is_identity_hash
from analytics.calculations.records import Proof, Source
from analytics.models import IdentitySecret, KeyKind

_SERVER_KEYS = "SELECT id FROM analytics_projectkey WHERE id = ANY(%s) AND kind = %s"
_SALTS = "SELECT salt FROM analytics_identitysecret WHERE retired_at IS NULL"


def secret_of(row: IdentitySecret) -> str:
    """Return a secret as the company's backend uses it: 64 hexadecimal digits."""
    return _secret(row.salt, settings.SECRET_KEY)


def current_secret() -> IdentitySecret:
    """Return the newest secret in use, creating the first one."""
    in_use = IdentitySecret.objects.filter(retired_at=None).order_by("-pk")
    return in_use.first() or new_secret()


def new_secret() -> IdentitySecret:
    """Create another secret; the earlier ones verify, too, until they are retired."""
    return IdentitySecret.objects.create(salt=secrets.token_urlsafe(24))


@transaction.atomic
def retire_earlier(*, now: datetime) -> int:
    """Stop verifying with all secrets but the newest; return how many were in use."""
    earlier = IdentitySecret.objects.filter(retired_at=None).exclude(pk=current_secret().pk)
    return earlier.update(retired_at=now)


def verdict(distinct_id: str, value: str) -> str:
    """Return what a signature is worth, for the developer who looks for a mistake."""
    signers = [
        row
        for row in IdentitySecret.objects.order_by("retired_at")
        if is_identity_hash(value, distinct_id, _verifying(row.salt))
    ]
    if any(row.retired_at is None for row in signers):
        return "Valid: an event with it is proved to come from this person."
    if signers:
        return "Made with a retired secret: an event with it is a claim."
    return "Wrong: made for another id, or with another secret. An event with it is a claim."


def sources(cursor: psycopg.Cursor, key_ids: Collection[int]) -> dict[int, Source]:
    """Return what vouches for the events of each project key."""
    cursor.execute(_SERVER_KEYS, [list(key_ids), KeyKind.SERVER.value])
    server_keys = {key_id for (key_id,) in cursor.fetchall()}
    cursor.execute(_SALTS)
    verifying = tuple(secret for (salt,) in cursor.fetchall() for secret in _verifying(salt))
    return {
        key_id: Source(key_id, Proof.PROVED)
        if key_id in server_keys
        else Source(key_id, Proof.CLAIMED, verifying)
        for key_id in key_ids
    }


def _verifying(salt: str) -> list[bytes]:
    """Return what signatures may be made with, after SECRET_KEY was replaced, too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_secret(salt, key).encode() for key in keys]


def _secret(salt: str, secret_key: str) -> str:
    purpose = "plumbline.identity_secret"
    return salted_hmac(purpose, salt, secret=secret_key, algorithm="sha256").hexdigest()

"""Hashes of personal data that recognize it again: the database alone cannot test guesses.

Each is an HMAC-SHA256 with a key derived from SECRET_KEY. Hashes that were made with an earlier one
are recognized as long as it is among SECRET_KEY_FALLBACKS.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings


@dataclass(frozen=True, slots=True)
class HashKey:
    """A derived key; its fingerprint says which rows were hashed with it."""

    secret: bytes = field(repr=False)
    fingerprint: str

    def digest(self, text: str) -> bytes:
        return hmac.digest(self.secret, text.encode(errors="surrogatepass"), "sha256")


def hash_keys(purpose: str) -> Sequence[HashKey]:
    """Return the keys of a purpose: the current one, which hashes new rows, then earlier ones."""
    return _derived(purpose, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=32)
def _derived(purpose: str, *secrets: str) -> Sequence[HashKey]:
    name = f"plumbline.{purpose}".encode()
    keys = [hmac.digest(secret.encode(), name, "sha256") for secret in secrets]
    return [HashKey(key, hmac.digest(key, b"fingerprint", "sha256").hex()[:8]) for key in keys]

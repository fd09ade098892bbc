"""A verified identity: the company's backend signs a distinct id, and events carry the signature.

HMAC-SHA256 of the distinct id (UTF-8), keyed with the project's identity secret (its text, as
shown), in lower-case hexadecimal. The same scheme as Intercom's identity verification.
"""

import hmac
from collections.abc import Iterable


def identity_hash(distinct_id: str, secret: bytes) -> str:
    """Return the signature of a distinct id: 64 hexadecimal digits."""
    return hmac.digest(secret, distinct_id.encode(errors="surrogatepass"), "sha256").hex()


def is_identity_hash(value: object, distinct_id: str, secrets: Iterable[bytes]) -> bool:
    """Whether a value from an event signs the distinct id with any of the secrets."""
    if not isinstance(value, str) or not value.isascii():
        return False
    signature = value.strip().lower()
    return any(
        hmac.compare_digest(signature, identity_hash(distinct_id, secret)) for secret in secrets
    )

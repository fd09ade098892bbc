"""Erased distinct ids, remembered as hashes, so that late events do not bring persons back."""

import hmac
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from django.conf import settings

from analytics.calculations.compression import decompress_leniently
from analytics.calculations.records import MAX_NAME
from analytics.calculations.stored_json import decode_text, decoded_or
from analytics.models import ErasedId, Erasure
from common.postgres import raw_cursor

_QUOTE = re.compile(rb'(?<!\\)"')
_NUMBER = re.compile(rb"(?<![\w.])-?\d{1,200}(?![\w.])")
_LONGEST = 6 * MAX_NAME  # bytes of an id in JSON, each character escaped


def remember(distinct_ids: Iterable[str], erasure: Erasure) -> None:
    """Drop events of these ids from now on."""
    key, fingerprint = _keys()[0]
    ErasedId.objects.bulk_create(
        (
            ErasedId(hash=_hash(key, distinct_id), key=fingerprint, erasure=erasure)
            for distinct_id in set(distinct_ids)
        ),
        batch_size=5_000,
        ignore_conflicts=True,
    )


def forget(distinct_id: str) -> bool:
    """Accept events of an id again; return whether it was erased."""
    hashes = [_hash(key, distinct_id) for key, _ in _keys()]
    return ErasedId.objects.filter(pk__in=hashes).delete()[0] > 0


def among(distinct_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are erased. Where nothing was erased, it costs one query."""
    if not distinct_ids or not ErasedId.objects.exists():
        return set()
    id_of = {_hash(key, id_): id_ for key, _ in _keys() for id_ in distinct_ids}
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM analytics_erasedid WHERE hash = ANY(%s)", [list(id_of)], binary=True
        )
        return {id_of[bytes(hash_)] for (hash_,) in cursor.fetchall()}


def erasure_of(distinct_id: str) -> Erasure | None:
    """Return the receipt of an id that was erased."""
    hashes = [_hash(key, distinct_id) for key, _ in _keys()]
    row = ErasedId.objects.select_related("erasure").filter(pk__in=hashes).first()
    return row.erasure if row else None


def naming_erased(payloads: Sequence[bytes]) -> list[bool]:
    """Return which payloads name an erased id in any text; they need not be valid JSON."""
    if not payloads or not ErasedId.objects.exists():
        return [False] * len(payloads)
    texts_of: Mapping[bytes, set[str]] = {payload: _texts(payload) for payload in set(payloads)}
    erased = among(set().union(*texts_of.values()))
    return [not erased.isdisjoint(texts_of[payload]) for payload in payloads]


def any_with_unknown_key() -> bool:
    """Whether erased ids were hashed with a SECRET_KEY that is no longer configured."""
    return ErasedId.objects.exclude(key__in=[fingerprint for _, fingerprint in _keys()]).exists()


def _texts(payload: bytes) -> set[str]:
    """Return the short texts and whole numbers in a payload, as an id may be either.

    What is between any two quotes counts, because in invalid JSON a quote may be missing.
    """
    plain = decompress_leniently(payload)
    quoted = {text for text in _QUOTE.split(plain) if 0 < len(text) <= _LONGEST}
    texts = {decoded_or(decode_text, b'"' + text + b'"', "") for text in quoted}
    numbers = {number.decode() for number in _NUMBER.findall(plain)}
    return {text for text in texts | numbers if text and len(text) <= MAX_NAME}


def _hash(key: bytes, distinct_id: str) -> bytes:
    return hmac.digest(key, distinct_id.encode(errors="surrogatepass"), "sha256")


def _keys() -> Sequence[tuple[bytes, str]]:
    return _derived(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=8)
def _derived(*secrets: str) -> Sequence[tuple[bytes, str]]:
    """Return the current key and earlier ones, each with its fingerprint."""
    keys = [hmac.digest(secret.encode(), b"plumbline.erased-ids", "sha256") for secret in secrets]
    return [(key, hmac.digest(key, b"fingerprint", "sha256").hex()[:8]) for key in keys]

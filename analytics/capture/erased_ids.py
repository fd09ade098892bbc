"""Erased distinct ids, remembered as hashes, so that late events do not bring persons back."""

from collections.abc import Collection, Iterable, Sequence

from analytics.calculations.people.mentions import ids_in
from analytics.models import ErasedId, Erasure
from common.keyed_hash import HashKey, hash_keys
from common.postgres import array_literal, raw_cursor


def remember(distinct_ids: Iterable[str], erasure: Erasure) -> None:
    """Drop events of these ids from now on."""
    key = _keys()[0]
    hashes = sorted({key.digest(distinct_id).hex() for distinct_id in distinct_ids})
    with raw_cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_erasedid (hash, key, erasure_id)"
            " SELECT decode(hash, 'hex'), %s, %s FROM unnest(%s::text[]) AS hash"
            " ON CONFLICT DO NOTHING",
            [key.fingerprint, erasure.pk, array_literal(hashes)],
        )


def forget(distinct_id: str) -> bool:
    """Accept events of an id again; return whether it was erased."""
    hashes = [key.digest(distinct_id) for key in _keys()]
    return ErasedId.objects.filter(pk__in=hashes).delete()[0] > 0


def among(distinct_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are erased. Where nothing was erased, it costs one query."""
    if not distinct_ids or not ErasedId.objects.exists():
        return set()
    id_of = {key.digest(id_): id_ for key in _keys() for id_ in distinct_ids}
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM analytics_erasedid WHERE hash = ANY(ARRAY("
            "SELECT decode(hash, 'hex') FROM unnest(%s::text[]) AS hash))",
            [array_literal(hash_.hex() for hash_ in id_of)],
        )
        return {id_of[bytes(hash_)] for (hash_,) in cursor.fetchall()}


def erasure_of(distinct_id: str) -> Erasure | None:
    """Return the receipt of an id that was erased."""
    hashes = [key.digest(distinct_id) for key in _keys()]
    row = ErasedId.objects.select_related("erasure").filter(pk__in=hashes).first()
    return row.erasure if row else None


def naming_erased(payloads: Sequence[bytes]) -> list[bool]:
    """Return which payloads name an erased id; they need not be valid JSON."""
    if not payloads or not ErasedId.objects.exists():
        return [False] * len(payloads)
    ids: list[set[str]] = list(map(ids_in, payloads))
    erased = among(set().union(*ids))
    return [not erased.isdisjoint(named) for named in ids]


def any_with_unknown_key() -> bool:
    """Whether erased ids were hashed with a SECRET_KEY that is no longer configured."""
    return ErasedId.objects.exclude(key__in=[key.fingerprint for key in _keys()]).exists()


def _keys() -> Sequence[HashKey]:
    return hash_keys("erased-ids")

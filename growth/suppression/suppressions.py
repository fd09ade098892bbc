"""The suppression list: the only code that decides whether an address may be mailed.

Rows are found by a keyed hash. What its owner or staff decided covers a mailbox, however its
address is written: in any case of ASCII letters, with any tag after a plus sign. A bounce and an
erased person cover only the address: a stranger may enter that of another person with a tag, and
have it bounce or be erased. Importing, and changes of persons, only ever add rows.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet

from common.calculations.mailbox import canonical, lower_ascii, mailbox, spellings
from common.keyed_hash import HashKey, hash_keys
from common.postgres import array_literal, is_storable, raw_cursor
from growth.calculations.mail.mail_events import (
    ABOUT_ONE_ADDRESS,
    STOPS_EVERY_EMAIL,
    SuppressionReason,
)
from growth.models import MailTopic, Suppression
from growth.models.suppression import LONGEST_ADDRESS

_ROWS_PER_STEP = 2_000
_MATCHING = """
SELECT DISTINCT hash FROM growth_suppression WHERE lifted_at IS NULL
AND hash = ANY(ARRAY(SELECT decode(hash, 'hex') FROM unnest(%(hashes)s::text[]) AS hash))
"""
_MARKETING = _MATCHING + "AND (topic_id IS NULL OR topic_id = %(topic)s)"
_EVERYTHING = _MATCHING + "AND topic_id IS NULL AND reason = ANY(%(reasons)s)"


def suppressed_among(addresses: Collection[str], topic: MailTopic | None = None) -> set[str]:
    """Return those of the addresses that marketing on a topic must not go to, in one query."""
    return _among(addresses, _MARKETING, topic=topic.pk if topic else None)


def is_suppressed(address: str, topic: MailTopic | None = None) -> bool:
    return bool(suppressed_among([address], topic))


def undeliverable_among(addresses: Collection[str]) -> set[str]:
    """Return those of the addresses that no e-mail at all goes to: they bounced or complained."""
    return _among(addresses, _EVERYTHING, reasons=sorted(STOPS_EVERY_EMAIL))


def _among(addresses: Collection[str], query: str, **parameters: object) -> set[str]:
    if not addresses or not Suppression.objects.exists():
        return set()
    hashed = [(digest, address) for address in addresses for digest in _digests(address)]
    hashes = array_literal({digest.hex() for digest, _ in hashed})
    with raw_cursor() as cursor:
        cursor.execute(query, {"hashes": hashes, **parameters})
        matches = {bytes(digest) for (digest,) in cursor.fetchall()}
    return {address for digest, address in hashed if digest in matches}


def rows_of(addresses: Iterable[str]) -> QuerySet[Suppression]:
    """Return all rows of addresses, lifted ones too."""
    digests = [digest for address in addresses for digest in _digests(address)]
    return Suppression.objects.filter(hash__in=digests)


def active_rows_of(addresses: Iterable[str]) -> QuerySet[Suppression]:
    return rows_of(addresses).filter(lifted_at=None)


def readable_rows_of(addresses: Iterable[str]) -> QuerySet[Suppression]:
    """Return the rows that hold more of these addresses than hashes.

    Those of a mailbox that are about another one of its addresses are not among them.
    """
    addresses = list(addresses)
    written = {spelling for address in addresses for spelling in spellings(address)}
    return rows_of(addresses).filter(address__in=written | {""}).exclude(address="", detail="")


def add(
    addresses: Iterable[str],
    reason: SuppressionReason,
    *,
    source: str,
    at: datetime,
    topic: MailTopic | None = None,
    detail: str = "",
) -> int:
    """Suppress addresses, and return how many were not yet for this reason and topic."""
    written = {canonical(address) for address in addresses}
    # Of addresses with the same hash the shortest, which has no tag, is listed.
    by_length = sorted(written, key=lambda address: (-len(address), address))
    normalized = sorted({hashed_text(text, reason): text for text in by_length}.values())
    steps = range(0, len(normalized), _ROWS_PER_STEP)
    parts = [normalized[start : start + _ROWS_PER_STEP] for start in steps]
    return sum(
        _add(part, reason, source=source, at=at, topic=topic, detail=detail) for part in parts
    )


def _add(
    addresses: Sequence[str],
    reason: SuppressionReason,
    *,
    source: str,
    at: datetime,
    topic: MailTopic | None,
    detail: str,
) -> int:
    same = active_rows_of(addresses).filter(reason=reason, topic=topic)
    existing = {bytes(digest) for digest in same.values_list("hash", flat=True)}
    key = _keys()[0]
    rows = [
        Suppression(
            hash=key.digest(hashed_text(address, reason)),
            key=key.fingerprint,
            address="" if reason is SuppressionReason.ERASED else address[:LONGEST_ADDRESS],
            reason=reason.value,
            source=source,
            at=at,
            topic=topic,
            detail=detail,
        )
        for address in addresses
        if is_storable(address) and existing.isdisjoint(_digests(address))
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


class NoReason(ValueError):
    """Lifting a suppression needs a reason."""


def lift(rows: QuerySet[Suppression], *, by: str, reason: str, now: datetime) -> int:
    """Lift active rows; they stay, with who lifted them and why. Raise NoReason."""
    if not reason.strip():
        raise NoReason("Say why mail may go to this address again.")
    lifted = {"lifted_at": now, "lifted_by": by, "lift_reason": reason.strip()}
    return rows.filter(lifted_at=None).update(**lifted)


def anonymize(addresses: Iterable[str]) -> int:
    """Keep only the hashes of these addresses, which stay suppressed."""
    rows = readable_rows_of(addresses)
    rows.exclude(lifted_at=None).update(lift_reason="(erased)")
    return rows.update(address="", detail="")


def hashed_text(address: str, reason: SuppressionReason) -> str:
    """Return the text whose hash stands for an address that is suppressed for a reason."""
    return canonical(address) if reason in ABOUT_ONE_ADDRESS else mailbox(address)


def _digests(address: str) -> list[bytes]:
    """Return the hashes of an address and of its mailbox, and those of earlier versions."""
    texts = {mailbox(address), canonical(address), lower_ascii(address.strip())}
    return [key.digest(text) for key in _keys() for text in sorted(texts)]


def _keys() -> Sequence[HashKey]:
    return hash_keys("suppressed-addresses")

"""Read one event, trusting nothing in it.

The steps of `event_record`, in order: name, properties, uuid, then (only where the event may hold
any) the special properties, distinct id, time, the person's other id.
"""

from collections.abc import Collection
from hashlib import blake2b
from uuid import UUID

import msgspec

from analytics.calculations.event_properties import (
    stored_properties,
    with_ignored_time,
    without_hash,
)
from analytics.calculations.event_times import event_time
from analytics.calculations.people.identity_hash import is_identity_hash
from analytics.calculations.people.profile_changes import makes_profile
from analytics.calculations.records import (
    IDENTITY_HASH,
    MAX_NAME,
    OTHER_ID,
    Arrival,
    EventRecord,
    InvalidEvent,
    Proof,
    Reason,
    Source,
)
from analytics.calculations.stored_json import stored_text
from analytics.calculations.wire_format import (
    NOTHING_SPECIAL,
    SpecialProperties,
    WireEvent,
    as_distinct_id,
    decode_event,
    is_any_of,
    is_text,
    only_v0,
    special_properties,
)

_HASH_NAME = f'"{IDENTITY_HASH}"'.encode()


def read_event(
    raw: bytes | msgspec.Raw,
    arrival: Arrival | None,
    *,
    position: int = 0,
    line: int | None = None,
    proof: Proof = Proof.CLAIMED,
) -> EventRecord:
    """Return the event to store, or raise `InvalidEvent`; see `event_record`."""
    event = decode_event(raw)
    return event_record(event, raw, arrival, position=position, line=line, proof=proof)


def event_record(
    event: WireEvent,
    raw: bytes | msgspec.Raw,
    arrival: Arrival | None,
    *,
    position: int = 0,
    line: int | None = None,
    proof: Proof = Proof.CLAIMED,
) -> EventRecord:
    """Return the event to store, or raise `InvalidEvent` naming the field.

    `arrival` is None for an import, where every event must have a time of its own, and `proof` is
    what staff declares about its file.
    """
    sdk = arrival.sdk if arrival else ""
    if not sdk:
        event = only_v0(event)
    name = _name(event)
    source = arrival.source if arrival else Source(proof=proof)
    properties = stored_properties(event, sdk)
    uuid = _uuid(event, raw, position, arrival, source)
    is_special = _may_be_special(event, name, properties)
    special = special_properties(properties) if is_special else NOTHING_SPECIAL
    distinct_id, other_id = _distinct_id(event, special), _other_id(name, special)
    proof = _proof(special, distinct_id, source)
    if proof is Proof.VERIFIED:
        uuid = _signed_uuid(uuid, distinct_id)
    if source.proof >= Proof.PROVED:
        _check_exact(event, special, {distinct_id, other_id})
    if is_special and _HASH_NAME in properties:
        properties = without_hash(properties, proof)
    time = event_time(
        event.timestamp, event.offset, arrival, ignore_sent_at=_ignores_sent_at(special)
    )
    if time.is_arrival:
        properties = with_ignored_time(properties, event)
    return EventRecord(
        uuid,
        stored_text(name),
        distinct_id,
        time.at,
        properties,
        line,
        other_id,
        makes_profile(name, special.profile),
        proof,
        source.project_key_id,
        time.is_arrival,
        arrival is not None and arrival.is_history,
    )


def _name(event: WireEvent) -> str:
    if event.event is not None and not is_text(event.event):
        raise InvalidEvent(Reason.BAD_FIELD, "event: not a text")
    name = str(event.event or "").strip()
    if not name:
        raise InvalidEvent(Reason.MISSING_FIELD, "event: missing")
    if len(name) > MAX_NAME:
        raise InvalidEvent(Reason.BAD_FIELD, f"event: longer than {MAX_NAME} characters")
    return name


def _uuid(
    event: WireEvent,
    raw: bytes | msgspec.Raw,
    position: int,
    arrival: Arrival | None,
    source: Source,
) -> bytes:
    """Return the event's uuid; without one it derives from the content and the position.

    An id that is not a UUID is hashed to one. Where the time is missing too, a later event with
    the same content is another event. Hashes of what the backend sends differ from those of
    claims, so that no claim can take the uuid of a proved event with a guessed id.
    """
    namespace = [b"proved"] if source.proof >= Proof.PROVED else []
    if event.uuid and is_text(event.uuid):
        sent = str(event.uuid)
        digits = sent.replace("-", "")
        try:
            # The usual notation, four times as fast as `UUID`.
            if len(digits) == 32 and len(uuid := bytes.fromhex(digits)) == 16:
                return uuid
            return UUID(sent).bytes
        except ValueError:
            return _hash(*namespace, sent.encode(errors="replace"))
    has_no_time = event.timestamp is None and event.offset is None
    when = arrival.received_at.isoformat() if has_no_time and arrival else ""
    return _hash(*namespace, bytes(raw), str(position).encode(), when.encode())


def _signed_uuid(uuid: bytes, distinct_id: str) -> bytes:
    """Return the uuid of an event that its sender signed, which no other sender's event can have.

    Otherwise it could take the uuid of an event of the backend. Uuids of about the same time stay
    together, as far as they begin with it.
    """
    return uuid[:6] + _hash(b"signed", distinct_id.encode(errors="replace"), uuid)[:10]


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def _may_be_special(event: WireEvent, name: str, properties: bytes) -> bool:
    """Whether the event may hold anything that capture itself acts on."""
    return (
        event.distinct_id is None
        or name in OTHER_ID
        or bool(event.options)
        or b'"$process_person_profile"' in properties
        or b'"$ignore_sent_at"' in properties
        or _HASH_NAME in properties
    )


def _proof(special: SpecialProperties, distinct_id: str, source: Source) -> Proof:
    if special.identity_hash is None or source.proof > Proof.VERIFIED:
        return source.proof
    is_valid = is_identity_hash(special.identity_hash, distinct_id, source.identity_secrets)
    return Proof.VERIFIED if is_valid else source.proof


def _ignores_sent_at(special: SpecialProperties) -> bool:
    return is_any_of(special.ignore_sent_at, "true", "1")


def _distinct_id(event: WireEvent, special: SpecialProperties) -> str:
    value = event.distinct_id
    if value is None:
        value = event.dollar_distinct_id
    if value is None:
        value = special.distinct_id
    text = as_distinct_id(value)
    if not text:
        raise InvalidEvent(Reason.MISSING_FIELD, "distinct_id: missing")
    return text


def _check_exact(
    event: WireEvent, special: SpecialProperties, distinct_ids: Collection[str | None]
) -> None:
    """Refuse ids that would be trimmed or cut to another person's, of whom they would be proof."""
    sent = (event.distinct_id, event.dollar_distinct_id, special.distinct_id)
    for value in (*sent, special.anon_distinct_id, special.alias):
        if isinstance(value, str) and value != as_distinct_id(value) in distinct_ids:
            detail = "distinct_id: blank at an end, NUL, or longer than 200 characters"
            raise InvalidEvent(Reason.BAD_FIELD, f"{detail}: not accepted with a server key")


def _other_id(name: str, special: SpecialProperties) -> str | None:
    """Return the second id of the same person that the event names."""
    linking = OTHER_ID.get(name)
    other = special.anon_distinct_id if linking == "$anon_distinct_id" else special.alias
    return as_distinct_id(other) if linking and other is not None else None

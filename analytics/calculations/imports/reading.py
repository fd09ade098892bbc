"""The event in a row of a file."""

from typing import Any

import msgspec

from analytics.calculations.imports.columns import AS_CAPTURED, Columns
from analytics.calculations.imports.products import NOT_STORED, READERS, FileFormat
from analytics.calculations.imports.rows import Row
from analytics.calculations.records import EventRecord, InvalidEvent, Proof, Reason
from analytics.calculations.stored_json import UNREADABLE
from analytics.calculations.wire import event_record
from analytics.calculations.wire_format import WireEvent, decode_event

_Raws = dict[str, msgspec.Raw]

_decode_raws = msgspec.json.Decoder(_Raws).decode
_encode = msgspec.json.Encoder().encode

_ROLES = ("event", "distinct_id", "timestamp", "uuid")
_WIRE = {field.encode_name for field in msgspec.structs.fields(WireEvent)}
_OTHER_FIELDS = _WIRE - {*_ROLES, "properties"} - NOT_STORED[FileFormat.PLUMBLINE]
# Objects and arrays, which a CSV cell or an export holds as a text.
_NESTED = ("properties", "$set", "$set_once", "$unset", "options")
_ABSENT = (b"", b"null", b'""')


def read_row(row: Row, file_format: FileFormat, columns: Columns, proof: Proof) -> EventRecord:
    """Return the event in a row, or raise `InvalidEvent` naming the field."""
    if row.problem:
        raise InvalidEvent(Reason.MALFORMED, row.problem)
    event = _event(row.content, file_format, columns)
    return event_record(event, row.content, None, line=row.line, proof=proof)


def _event(content: bytes, file_format: FileFormat, columns: Columns) -> WireEvent:
    if file_format is FileFormat.PLUMBLINE:
        return _own_event(content, columns)
    try:
        fields = msgspec.json.decode(content, type=dict[str, Any])
    except UNREADABLE as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error
    for name in ("properties", "event_properties", "user_properties"):
        if isinstance(text := fields.get(name), str):
            fields[name] = msgspec.json.decode(_nested(name, _encode(text)))
    return decode_event(_encode(READERS[file_format](fields)))


def _own_event(content: bytes, columns: Columns) -> WireEvent:
    """Return the event in an object whose fields are named by `columns`; others are properties."""
    try:
        fields: _Raws = _decode_raws(content)
    except UNREADABLE as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error
    if columns == AS_CAPTURED and _is_as_captured(fields):
        return decode_event(content)
    properties = _nested("properties", bytes(fields.pop(columns.properties, b"")))
    event: dict[str, msgspec.Raw] = {}
    for role in _ROLES:
        value = fields.pop(getattr(columns, role), msgspec.Raw())
        if bytes(value) not in _ABSENT:
            event[role] = value
    event.setdefault("event", msgspec.Raw(_encode(columns.event_name)))
    for name in _OTHER_FIELDS & fields.keys():
        raw = fields.pop(name)
        event[name] = _nested(name, bytes(raw)) if name in _NESTED else raw
    for name in NOT_STORED[FileFormat.PLUMBLINE]:
        fields.pop(name, None)
    return decode_event(_encode(event | {"properties": _with_others(fields, properties)}))


def _is_as_captured(fields: _Raws) -> bool:
    """Whether capture reads the object as it is: it has no other fields, and no nested texts."""
    return fields.keys() <= _WIRE and not any(
        bytes(fields.get(name, b"")).startswith(b'"') for name in _NESTED
    )


def _nested(name: str, raw: bytes) -> msgspec.Raw:
    """Return an object or array that may be in a text."""
    if raw in _ABSENT:
        return msgspec.Raw(b"null")
    if not raw.startswith(b'"'):
        return msgspec.Raw(raw)
    try:
        text = msgspec.json.decode(raw, type=str)
        return msgspec.json.decode(text or "null", type=msgspec.Raw)
    except UNREADABLE as error:
        raise InvalidEvent(Reason.BAD_FIELD, f"{name}: {error}") from error


def _with_others(others: _Raws, properties: msgspec.Raw) -> msgspec.Raw:
    """Return the properties and other fields as one object; a property comes first."""
    if not others:
        return properties
    try:
        inner = msgspec.json.decode(properties, type=_Raws | None) or {}
    except UNREADABLE as error:
        raise InvalidEvent(Reason.BAD_FIELD, f"properties: {error}") from error
    return msgspec.Raw(_encode(others | inner))

"""Reads what a provider reports about an e-mail."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from common.calculations.mailbox import canonical
from growth.calculations.mail.mail_events import MailEventKind, kind_of

_LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class MailReport:
    """An event as a provider reports it; "" and None where it does not say."""

    provider: str
    kind: MailEventKind
    message_id: str = ""
    address: str = ""
    at: datetime | None = None
    event_id: str = ""
    response: str = ""
    link: str = ""
    user_agent: str = ""
    payload: bytes = b""  # what identifies an event without any id or time


def report_of(event: Any, provider: str) -> MailReport | None:
    """Read a tracking event of Anymail; None if it means nothing here."""
    response = _text(event.mta_response) or _text(event.description)
    kind = kind_of(
        _text(event.event_type), reject_reason=_text(event.reject_reason), response=response
    )
    if kind is None:
        return None
    own_id = event.metadata.get("message_id") if isinstance(event.metadata, dict) else None
    return MailReport(
        provider=_text(provider)[:50],
        kind=kind,
        message_id=_text(own_id or event.message_id).strip().strip("<>")[:998],
        address=canonical(_text(event.recipient))[:320],
        at=event.timestamp and event.timestamp.astimezone(UTC),
        event_id=_text(event.event_id),
        response=response,
        link=_without_query(_text(event.click_url)),
        user_agent=_text(event.user_agent)[:300],
        payload=repr(event.esp_event).encode(errors="replace"),
    )


def _text(value: Any) -> str:
    """Return a text that the database stores, cut; "" for anything else."""
    text = value if isinstance(value, str) else ""
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text[:_LONGEST_TEXT]


def _without_query(url: str) -> str:
    """Return a link without what may identify someone."""
    try:
        return urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    except ValueError:
        return ""

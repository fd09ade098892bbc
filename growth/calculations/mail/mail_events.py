"""What happened to an e-mail, as its provider reports it, and which addresses to stop mailing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MailEventKind(StrEnum):
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    SOFT_BOUNCED = "soft_bounced"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


KIND_LABELS = {
    MailEventKind.DELIVERED: "Delivered",
    MailEventKind.OPENED: "Opened",
    MailEventKind.CLICKED: "Clicked",
    MailEventKind.SOFT_BOUNCED: "Soft bounce",
    MailEventKind.BOUNCED: "Hard bounce",
    MailEventKind.COMPLAINED: "Reported as spam",
    MailEventKind.UNSUBSCRIBED: "Unsubscribed at the provider",
}


class SuppressionReason(StrEnum):
    UNSUBSCRIBED = "unsubscribed"
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    SOFT_BOUNCES = "soft_bounces"
    STAFF = "staff"
    IMPORT = "import"
    ERASED = "erased"


REASON_LABELS = {
    SuppressionReason.UNSUBSCRIBED: "Unsubscribed",
    SuppressionReason.HARD_BOUNCE: "Hard bounce",
    SuppressionReason.COMPLAINT: "Reported as spam",
    SuppressionReason.SOFT_BOUNCES: "Repeated soft bounces",
    SuppressionReason.STAFF: "Added by staff",
    SuppressionReason.IMPORT: "Imported",
    SuppressionReason.ERASED: "Erased person",
}
# These stop every e-mail to an address, the others only marketing.
STOPS_EVERY_EMAIL = frozenset(
    {SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.SOFT_BOUNCES}
)
# These cover an address. The others, decided by who reads the mailbox or by staff, cover a mailbox.
ABOUT_ONE_ADDRESS = frozenset(
    {SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES, SuppressionReason.ERASED}
)

# Enhanced status codes (RFC 3463) or reply codes (RFC 5321) of a mail server.
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\d.-])([45])\d\d(?![\d.])")
_NO_SUCH_MAILBOX = {"1"}  # 5.1.x: the address itself; 5.2.x is a full mailbox, 5.7.x a policy
_HARD_REASONS = {"bounced", "invalid"}
_KINDS = {
    "delivered": MailEventKind.DELIVERED,
    "opened": MailEventKind.OPENED,
    "clicked": MailEventKind.CLICKED,
    "deferred": MailEventKind.SOFT_BOUNCED,
    "complained": MailEventKind.COMPLAINED,
    "unsubscribed": MailEventKind.UNSUBSCRIBED,
}
# Mail that the provider did not send, as its own list has the address.
_REJECTIONS = {
    "spam": MailEventKind.COMPLAINED,
    "bounced": MailEventKind.BOUNCED,
    "invalid": MailEventKind.BOUNCED,
    "unsubscribed": MailEventKind.UNSUBSCRIBED,
}


@dataclass(frozen=True, slots=True)
class AddressEvent:
    """An event of an address, as far as it decides whether to stop mailing it."""

    kind: MailEventKind
    at: datetime
    message_id: str = ""


def kind_of(event_type: str, *, reject_reason: str, response: str) -> MailEventKind | None:
    """Return what an event of Anymail means here; None where it means nothing for the address.

    `response` is what the receiving mail server said.
    """
    if event_type == "rejected":
        return _REJECTIONS.get(reject_reason)
    if event_type != "bounced":
        return _KINDS.get(event_type)
    is_hard = _is_permanent(response)
    if is_hard is None:
        is_hard = reject_reason in _HARD_REASONS
    return MailEventKind.BOUNCED if is_hard else MailEventKind.SOFT_BOUNCED


def _is_permanent(response: str) -> bool | None:
    """Whether a mail server said that the address will never work; None: it did not say."""
    if status := _STATUS.search(response):
        return status[1] == "5" and status[2] in _NO_SUCH_MAILBOX if status[1] != "2" else None
    if (reply := _REPLY.search(response)) and reply[1] == "4":
        return False
    return None


def reasons_to_suppress(
    events: Iterable[AddressEvent], *, soft_bounces: int
) -> set[SuppressionReason]:
    """Return why to stop mailing an address, from all of its events in any order.

    `soft_bounces` in a row, of as many messages, with no delivery after them, are a reason.
    """
    events = set(events)
    reasons = {
        reason
        for kind, reason in (
            (MailEventKind.BOUNCED, SuppressionReason.HARD_BOUNCE),
            (MailEventKind.COMPLAINED, SuppressionReason.COMPLAINT),
            (MailEventKind.UNSUBSCRIBED, SuppressionReason.UNSUBSCRIBED),
        )
        if any(event.kind is kind for event in events)
    }
    delivered = max(
        (event.at for event in events if event.kind is MailEventKind.DELIVERED), default=None
    )
    soft = {
        event.message_id or event.at
        for event in events
        if event.kind is MailEventKind.SOFT_BOUNCED and (delivered is None or event.at > delivered)
    }
    return reasons | ({SuppressionReason.SOFT_BOUNCES} if len(soft) >= soft_bounces else set())

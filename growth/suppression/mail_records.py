"""Records what providers report about e-mails: each event once, in any order.

Providers repeat webhooks, reorder them, give a repeated one another id, and leave ids out. So an
event is the same if it says the same of the same message: who, what, when.
"""

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from analytics.ingestion import ingest
from analytics.models import Person
from analytics.people import persons
from billing.stripe.person_events import person_event
from common.calculations.mailbox import spellings
from common.locks import Lock, locked_cursor
from growth.calculations.mail.machines import Interaction, machine_flags
from growth.calculations.mail.mail_events import (
    AddressEvent,
    MailEventKind,
    SuppressionReason,
    reasons_to_suppress,
)
from growth.models import MailEvent
from growth.suppression import suppressions
from growth.suppression.mail_reports import MailReport

logger = logging.getLogger(__name__)

# Names of the events on timelines. They are passive: never activity, nor usage.
TIMELINE_EVENTS = {
    MailEventKind.DELIVERED: "email_delivered",
    MailEventKind.OPENED: "email_opened",
    MailEventKind.CLICKED: "email_clicked",
    MailEventKind.SOFT_BOUNCED: "email_soft_bounced",
    MailEventKind.BOUNCED: "email_bounced",
    MailEventKind.COMPLAINED: "email_reported_as_spam",
    MailEventKind.UNSUBSCRIBED: "email_unsubscribed",
}
PASSIVE_EVENTS = frozenset(TIMELINE_EVENTS.values())

_REPEATABLE = {MailEventKind.OPENED, MailEventKind.CLICKED}  # with the same message
_REASON_KINDS = {
    SuppressionReason.HARD_BOUNCE: MailEventKind.BOUNCED,
    SuppressionReason.COMPLAINT: MailEventKind.COMPLAINED,
    SuppressionReason.SOFT_BOUNCES: MailEventKind.SOFT_BOUNCED,
    SuppressionReason.UNSUBSCRIBED: MailEventKind.UNSUBSCRIBED,
}
_DECIDING = [*_REASON_KINDS.values(), MailEventKind.DELIVERED]
_AUTOMATIC = "Plumbline"
_DELIVERED_AGAIN = "A later e-mail was delivered"


def record(report: MailReport, *, now: datetime) -> bool:
    """Record an event with all that follows from it; return whether it is new.

    An event that names neither message nor address is about nothing, and dropped.
    """
    if not report.message_id and not report.address:
        logger.warning("A mail event names neither message nor address")
        return False
    with transaction.atomic():
        locked_cursor(Lock.MAIL_EVENTS)  # what follows depends on all events of an address
        event, is_new = MailEvent.objects.get_or_create(
            identity=_identity(report), defaults=_columns(report, now)
        )
        if is_new:
            _apply(event, now)
    return is_new


def _columns(report: MailReport, now: datetime) -> dict[str, Any]:
    return {
        "provider": report.provider,
        "message_id": report.message_id,
        "address": report.address,
        "kind": report.kind.value,
        "at": min(report.at or now, now),
        "response": report.response,
        "link": report.link,
        "user_agent": report.user_agent,
    }


def _identity(report: MailReport) -> bytes:
    """Return a hash of what makes two reports the same event.

    A message is delivered, bounces or is reported as spam once. It may be opened often: then the
    time to the second decides, and only where there is none the provider's id of the event.
    """
    parts = [report.message_id, report.address, report.kind.value]
    if not report.message_id or report.kind in _REPEATABLE:
        moment = report.at and report.at.astimezone(UTC).replace(microsecond=0).isoformat()
        parts += [report.link, moment or report.event_id or report.payload.hex()]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).digest()


def _apply(event: MailEvent, now: datetime) -> None:
    events = [event]
    if event.message_id:
        events = list(MailEvent.objects.filter(message_id=event.message_id).order_by("pk"))
        _complete(events)
        _flag_machines(events)
    for address in sorted({row.address for row in events} - {""}):
        _suppress(address, now)
    _add_to_timelines(events)


def _complete(events: list[MailEvent]) -> None:
    """Fill in the address where a report of a message to a single address has none."""
    addresses = {event.address for event in events} - {""}
    if len(addresses) == 1:
        (address,) = addresses
        for event in events:
            if not event.address:
                event.address = address
                event.save(update_fields=["address"])


def _flag_machines(events: list[MailEvent]) -> None:
    for address in {event.address for event in events}:
        own = [event for event in events if event.address == address]
        flags = machine_flags(
            [Interaction(MailEventKind(row.kind), row.at, row.user_agent, row.link) for row in own]
        )
        for event, flag in zip(own, flags, strict=True):
            if event.is_machine != flag:
                event.is_machine = flag
                event.save(update_fields=["is_machine"])


def _suppress(address: str, now: datetime) -> None:
    """Suppress an address for every reason that its events are since that was lifted."""
    rows = list(MailEvent.objects.filter(address=address, kind__in=_DECIDING).order_by("at", "pk"))
    lifted = dict(
        suppressions.rows_of([address])
        .exclude(lifted_at=None)
        .exclude(lift_reason=_DELIVERED_AGAIN)
        .values_list("reason")
        .annotate(Max("lifted_at"))
    )
    for reason, kind in _REASON_KINDS.items():
        since = lifted.get(reason.value)
        own = [row for row in rows if since is None or row.at > since]
        facts = [AddressEvent(MailEventKind(row.kind), row.at, row.message_id) for row in own]
        if reason in reasons_to_suppress(facts, soft_bounces=settings.PLUMBLINE_SOFT_BOUNCES):
            cause = [row for row in own if row.kind == kind][-1]
            suppressions.add(
                [address], reason, source=cause.provider, at=cause.at, detail=cause.response
            )
        elif reason is SuppressionReason.SOFT_BOUNCES:
            active = suppressions.active_rows_of([address]).filter(reason=reason, address=address)
            suppressions.lift(active, by=_AUTOMATIC, reason=_DELIVERED_AGAIN, now=now)


def _add_to_timelines(events: list[MailEvent]) -> None:
    """Add the events to the timeline of the person with the proved address, each once."""
    person_of = {
        address: _person_with(address) for address in {event.address for event in events} - {""}
    }
    records = []
    for event in events:
        person = person_of.get(event.address)
        distinct_id = persons.proved_distinct_id(person.pk) if person else None
        if distinct_id is not None:
            properties = {"response": event.response, "link": event.link}
            name = TIMELINE_EVENTS[MailEventKind(event.kind)]
            records.append(
                person_event(
                    name,
                    distinct_id,
                    key=["mail", bytes(event.identity).hex()],
                    at=event.at,
                    properties={key: value for key, value in properties.items() if value},
                )
            )
    ingest.store(records)


def _person_with(address: str) -> Person | None:
    """Return the only person with a proved address, whose domain may be written in Unicode."""
    matches = map(persons.person_with_proved_email, sorted(spellings(address)))
    return next((person for person in matches if person is not None), None)

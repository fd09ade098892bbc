"""What is stored about mail to a person: erased and exported with them."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from analytics.people import persons
from analytics.privacy.data_stores import DataStore
from analytics.privacy.export import Section
from analytics.privacy.traces import Traces, traces_of
from common.calculations.mailbox import spellings
from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import MailEvent
from growth.suppression import suppressions


class SuppressedAddresses(DataStore):
    """Keeps the hashes of erased persons' addresses, so that suppressed ones stay so."""

    name = "Suppressed addresses (only hashes stay)"
    columns = [f"growth_suppression.{column}" for column in ("address", "detail", "lift_reason")]

    def count(self, traces: Traces) -> int:
        return suppressions.readable_rows_of(traces.mentions.emails).count()

    def erase(self, traces: Traces) -> int:
        return suppressions.anonymize(traces.mentions.emails)


class MailEvents(DataStore):
    """What providers reported about e-mails to the person."""

    name = "E-mail events"
    columns = [
        f"growth_mailevent.{column}"
        for column in ("address", "message_id", "response", "link", "user_agent")
    ]

    def count(self, traces: Traces) -> int:
        return _events(traces.mentions.emails).count()

    def erase(self, traces: Traces) -> int:
        return _events(traces.mentions.emails).delete()[0]


PERSON_STORES: list[DataStore] = [SuppressedAddresses(), MailEvents()]


def suppress_erased(person_ids: Sequence[int]) -> None:
    """Remember, as hashes, that persons who are being erased must never get marketing again."""
    suppressions.add(
        traces_of(person_ids).mentions.emails,
        SuppressionReason.ERASED,
        source="erasure",
        at=timezone.now(),
    )


def sections(person_id: int) -> Iterator[Section]:
    """Yield the kinds of data, each by its name."""
    addresses = _addresses(person_id)
    rows = suppressions.rows_of(addresses).defer("hash").order_by("pk")
    names = ["topic__slug", "reason", "source", "detail", "at", "lifted_at", "lift_reason"]
    yield "suppressions", rows.values("address", *names).iterator()
    events = _events(addresses).order_by("at")
    yield (
        "mail_events",
        events.values(
            "provider",
            "message_id",
            "address",
            "kind",
            "at",
            "response",
            "link",
            "user_agent",
            "is_machine",
        ).iterator(),
    )


def _addresses(person_id: int) -> Collection[str]:
    return persons.own_addresses([person_id], proved=True)


def _events(addresses: Iterable[str]) -> QuerySet[MailEvent]:
    """Return the events of addresses, whatever spelling of the domain a provider reported."""
    written = {spelling for address in addresses for spelling in spellings(address)}
    return MailEvent.objects.filter(address__in=written)

"""Analytics' rows of others that may name persons."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models

from analytics.models import (
    Event,
    Exclusion,
    ExclusionRule,
    ForwardingState,
    Group,
    ImportRun,
    Person,
    PersonMerge,
    RejectedEvent,
)
from analytics.people import exclusions, mail_caps
from analytics.privacy.data_stores import DataStore, NamingRows
from analytics.privacy.traces import Traces

_ROWS_PER_READ = 100  # of at most 20 MB each


class RejectedPayloads(NamingRows):
    """Payloads as received: events, lines of files, whole requests, compressed or not."""

    def matches(self, traces: Traces) -> Iterator[models.Model]:
        if not traces.mentions.needles:
            return
        rows = RejectedEvent.objects.only("pk", "payload", "detail")
        for row in rows.iterator(chunk_size=_ROWS_PER_READ):
            if traces.mentions.in_payload(bytes(row.payload)):
                row.payload = b""
                yield row

    def names_person(self, row: models.Model, names: Sequence[str], traces: Traces) -> bool:
        return True


class Groups(NamingRows):
    """Properties of groups; a group whose key is a person's id or address is deleted."""


class ExclusionRules(NamingRows):
    """Rules about one person's id or address."""

    def clean(self, row: models.Model, traces: Traces) -> None:
        row.name = f"Rule {row.pk}"  # type: ignore[attr-defined]  # names are unique

    def delete(self, keys: Sequence[Any]) -> None:
        exclusions.delete_rules(ExclusionRule.objects.filter(pk__in=keys))


class OthersEvents(NamingRows):
    """Events of others: there may be very many, so that they are searched only on request."""

    def save(self, rows: Sequence[models.Model]) -> None:
        for row in rows:  # a composite key cannot be updated in bulk
            Event.objects.filter(pk=row.pk).update(properties=row.properties)  # type: ignore[attr-defined]

    def candidates(self, traces: Traces) -> models.QuerySet:
        return super().candidates(traces).exclude(person__in=traces.person_ids)


class OthersProfiles(NamingRows):
    """Profiles of others, such as who invited them."""

    def candidates(self, traces: Traces) -> models.QuerySet:
        return super().candidates(traces).exclude(pk__in=traces.person_ids)


class MailClaims(DataStore):
    """E-mails that were sent, by a keyed hash of the mailbox."""

    name = "E-mails that were sent"
    columns = ("analytics_mailclaim.mailbox",)

    def count(self, traces: Traces) -> int:
        return mail_caps.claims_of(traces.mentions.emails).count()

    def erase(self, traces: Traces) -> int:
        return mail_caps.claims_of(traces.mentions.emails).delete()[0]


NAMING_STORES: list[DataStore] = [
    MailClaims(),
    RejectedPayloads("Rejected events", RejectedEvent, deleted_by=["payload", "detail"]),
    Groups("Groups", Group, jsons=["properties", "refused"], deleted_by=["group_key"]),
    NamingRows("Merges of others", PersonMerge, jsons=["before"]),
    NamingRows("Imports", ImportRun, texts=["file_name"], jsons=["columns"]),
    ExclusionRules("Exclusion rules", ExclusionRule, texts=["name"], deleted_by=["property_value"]),
    NamingRows("Exclusions of others", Exclusion, texts=["rule", "value"]),
    NamingRows("Forwarding errors", ForwardingState, texts=["last_error"]),
]

SEARCHED_ON_REQUEST: list[DataStore] = [
    OthersProfiles(
        "Profiles of others", Person, jsons=["properties", "proved", "claimed", "refused"]
    ),
    OthersEvents("Events of others", Event, jsons=["properties"]),
]

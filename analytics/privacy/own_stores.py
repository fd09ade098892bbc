"""Analytics' rows of others that may name persons."""

from collections.abc import Iterator, Sequence
from typing import cast

from django.db import models

from analytics.calculations.people.mentions import ERASED, Mentions
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
_LAYERS = "properties", "proved", "claimed"
_TIMES = "set_at", "proved_set_at"


class RejectedPayloads(NamingRows):
    """Payloads as received: events, lines of files, whole requests, compressed or not."""

    def matches(self, traces: Traces) -> Iterator[models.Model]:
        if not traces.claims.needles:
            return
        rows = RejectedEvent.objects.only("pk", "payload", "detail", "project_key__kind")
        rows = rows.select_related("project_key")
        for row in rows.iterator(chunk_size=_ROWS_PER_READ):
            if self._mentions(row, traces).in_payload(bytes(row.payload)):
                row.payload = b""
                yield row

    def names_person(self, row: models.Model, names: Sequence[str], traces: Traces) -> bool:
        return True

    def _mentions(self, row: RejectedEvent, traces: Traces) -> Mentions:
        """A claim does not remove what a server key sent."""
        is_proved = row.project_key is not None and row.project_key.is_server
        return traces.mentions if is_proved else traces.claims


class Groups(NamingRows):
    """Groups stay; a key that is a person's id or address is replaced, and what names it."""

    def clean(self, row: models.Model, traces: Traces) -> None:
        group = cast("Group", row)
        is_the_person = self.names_person(group, ["group_key"], traces)
        super().clean(group, traces)
        if is_the_person:  # then its properties are about it; keys are unique
            group.group_key = f"{ERASED} {group.pk}"
            for name in _LAYERS:
                setattr(group, name, traces.mentions.without(getattr(group, name)))


class ExclusionRules(NamingRows):
    """Rules stay; one about a person's id or address then matches no one."""

    def clean(self, row: models.Model, traces: Traces) -> None:
        rule = cast("ExclusionRule", row)
        if self.names_person(rule, ["name"], traces):
            rule.name = f"Rule {rule.pk}"  # names are unique
        if self.names_person(rule, ["property_value"], traces):
            rule.property_value = ERASED

    def save(self, rows: Sequence[models.Model]) -> None:
        for row in rows:
            exclusions.save_rule(cast("ExclusionRule", row))


class OthersEvents(NamingRows):
    """Events of others: there may be very many, so that they are searched only on request."""

    def save(self, rows: Sequence[models.Model]) -> None:
        for row in rows:  # a composite key cannot be updated in bulk
            event = cast("Event", row)
            Event.objects.filter(pk=event.pk).update(
                properties=event.properties, short_properties=event.short_properties
            )

    def candidates(self, traces: Traces) -> models.QuerySet:
        return super().candidates(traces).exclude(person__in=traces.person_ids)


class OthersProfiles(NamingRows):
    """Profiles of others, such as who invited them. What is proved about them stays."""

    def clean(self, row: models.Model, traces: Traces) -> None:
        super().clean(row, traces)
        row.properties |= row.proved  # type: ignore[attr-defined]

    def candidates(self, traces: Traces) -> models.QuerySet:
        rows = super().candidates(traces).only("pk", "proved", *self._read)
        return rows.exclude(pk__in=traces.person_ids)

    def names_person(self, row: models.Model, names: Sequence[str], traces: Traces) -> bool:
        person = cast("Person", row)
        unproved = person.properties.keys() - person.proved.keys()
        claims = {name: person.properties[name] for name in unproved}
        others = [name for name in names if name != "properties"]
        in_claims = "properties" in names and traces.mentions.in_json(claims)
        return in_claims or super().names_person(person, others, traces)


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
    Groups("Groups", Group, texts=["group_key"], jsons=[*_LAYERS, "refused", *_TIMES]),
    NamingRows("Merges of others", PersonMerge, jsons=["before"]),
    NamingRows("Imports", ImportRun, texts=["file_name"], jsons=["columns"]),
    ExclusionRules("Exclusion rules", ExclusionRule, texts=["name"], jsons=["property_value"]),
    NamingRows("Exclusions of others", Exclusion, texts=["rule", "value"]),
    NamingRows("Forwarding errors", ForwardingState, texts=["last_error"]),
]

SEARCHED_ON_REQUEST: list[DataStore] = [
    OthersProfiles(
        "Profiles of others", Person, jsons=["properties", "claimed", "refused", "set_at"]
    ),
    OthersEvents("Events of others", Event, jsons=["properties", "short_properties"]),
]

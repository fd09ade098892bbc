"""Erasing a person: Stripe data stays for accounting without personal data, the rest is deleted."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet

from analytics.calculations.people.mentions import is_distinctive
from analytics.people import persons
from analytics.privacy.data_stores import DataStore, NamingRows
from analytics.privacy.own_ids import own_ids
from analytics.privacy.receipts import ElsewhereCall
from analytics.privacy.traces import Traces
from billing.calculations.stripe_personal import anonymous_event
from billing.models import (
    ErasedCustomer,
    HeldObject,
    IdempotentRequest,
    LimitException,
    RefusedLink,
    RevenueCustomer,
    StripeCustomer,
    StripeEvent,
    UsageNotice,
    UsageReservation,
)
from billing.stripe import gateway
from common.calculations.mailbox import lower_ascii

_EVENTS_PER_STEP = 500


class RowsOfPersons(DataStore):
    """Rows that belong to a distinct id and are deleted with it."""

    def __init__(self, name: str, model: type[Model], *columns: str) -> None:
        self.name, self._model = name, model
        self.columns = [f"{model._meta.db_table}.{column}" for column in ("distinct_id", *columns)]

    def count(self, traces: Traces) -> int:
        return self._rows(traces).count()

    def erase(self, traces: Traces) -> int:
        return self._rows(traces).delete()[0]

    def _rows(self, traces: Traces) -> QuerySet:
        return QuerySet(self._model).filter(distinct_id__person_id__in=traces.person_ids)


class KeptResponses(DataStore):
    """Responses kept for requests with an idempotency key."""

    name = "Kept responses"
    columns = ["billing_idempotentrequest.distinct_id", "billing_idempotentrequest.answer"]

    def count(self, traces: Traces) -> int:
        return self._rows(traces).count()

    def erase(self, traces: Traces) -> int:
        return self._rows(traces).delete()[0]

    def _rows(self, traces: Traces) -> QuerySet:
        return IdempotentRequest.objects.filter(distinct_id__in=traces.mentions.distinct_ids)


class StripeObjects(DataStore):
    """Customers, subscriptions, invoices, charges, refunds, disputes and checkout sessions."""

    name = "Stripe objects (amounts stay)"

    def count(self, traces: Traces) -> int:
        return gateway.count_objects(customer_ids(traces.person_ids))

    def erase(self, traces: Traces) -> int:
        remember(traces.person_ids)  # also customers that are new since
        return gateway.anonymize(customer_ids(traces.person_ids), traces.mentions.without)


class StripeEvents(DataStore):
    """Events as Stripe sent them, also those without a customer that are about its charges."""

    name = "Stripe events (amounts stay)"
    columns = ["billing_stripeevent.payload"]

    def count(self, traces: Traces) -> int:
        return self._rows(traces).count()

    def erase(self, traces: Traces) -> int:
        number = 0
        for event in self._rows(traces).select_for_update().iterator(chunk_size=_EVENTS_PER_STEP):
            event.payload = traces.mentions.without(anonymous_event(event.payload))
            event.save(update_fields=["payload"])
            number += 1
        return number

    def _rows(self, traces: Traces) -> QuerySet[StripeEvent]:
        owned = customer_ids(traces.person_ids)
        charges = gateway.charge_ids(owned)
        return StripeEvent.objects.filter(
            Q(customer_id__in=owned)
            | Q(customer_id="", payload__data__object__charge__in=charges)
            | Q(customer_id="", object_id__in=charges)
        )


class GuestObjects(DataStore):
    """Stored objects without a customer, such as checkouts by guests."""

    name = "Stripe objects of guests"

    def count(self, traces: Traces) -> int:
        return gateway.count_guests(traces.mentions.in_json) if traces.mentions.needles else 0

    def erase(self, traces: Traces) -> int:
        return gateway.anonymize_guests(traces.mentions.in_json, traces.mentions.without)


class UnownedEvents(NamingRows):
    """Events without a customer, such as those of checkouts by guests."""

    def candidates(self, traces: Traces) -> QuerySet:
        return super().candidates(traces).filter(customer_id="")


class KeptForOthers(NamingRows):
    """Responses whose key holds an id or address, as clients choose their keys."""

    def names_person(self, row: Model, names: Sequence[str], traces: Traces) -> bool:
        key: str = lower_ascii(row.key)  # type: ignore[attr-defined]
        texts = {lower_ascii(id_) for id_ in traces.mentions.distinct_ids if is_distinctive(id_)}
        in_key = any(text in key for text in texts | traces.mentions.emails)
        return in_key or super().names_person(row, ["answer"], traces)


PERSON_STORES = [
    KeptResponses(),
    StripeEvents(),
    StripeObjects(),
    RowsOfPersons("Usage notices", UsageNotice),
    RowsOfPersons("Usage reservations", UsageReservation, "idempotency_key"),
    RowsOfPersons("Limit exceptions", LimitException, "reason"),
    RowsOfPersons("Links to Stripe customers", StripeCustomer),
    RowsOfPersons("Refused links to Stripe customers", RefusedLink),
]

NAMING_STORES = [
    GuestObjects(),
    UnownedEvents("Stripe events of guests", StripeEvent, jsons=["payload"], texts=["reason"]),
    NamingRows("Unusable Stripe objects", HeldObject, texts=["reason"]),
    NamingRows("Reasons of exceptions", LimitException, texts=["reason"]),
    KeptForOthers("Kept responses to others", IdempotentRequest, deleted_by=["key", "answer"]),
]


def customer_ids(person_ids: Sequence[int]) -> list[str]:
    """Return the Stripe customers of persons: linked, or theirs by a proved id or address."""
    linked = StripeCustomer.objects.filter(distinct_id__person_id__in=person_ids)
    ids = own_ids(person_ids).certain
    proved = persons.own_addresses(person_ids, proved=True)
    return sorted({*linked.values_list("pk", flat=True), *gateway.unlinked_of(ids, proved)})


def facts(person_ids: Sequence[int]) -> Iterator[Any]:
    """Yield the stored Stripe customers of persons, whose names and addresses are theirs, too."""
    for customer_id in customer_ids(person_ids):
        if customer := gateway.stored("customer", customer_id):
            yield customer


def calls_elsewhere(person_ids: Sequence[int]) -> Iterator[ElsewhereCall]:
    """Yield the calls that have Stripe delete persons."""
    for customer_id in customer_ids(person_ids):
        yield ElsewhereCall(
            "Stripe",
            f"DELETE https://api.stripe.com/v1/customers/{customer_id}",
            "Ends its subscriptions and deletes its name, address and cards. For payments that stay"
            " with personal data, open a redaction job: POST /v1/privacy/redaction_jobs.",
        )
    if claimed := _claimed_customers(person_ids):
        yield ElsewhereCall(
            "Stripe",
            "",
            "Not erased here, because only a claimed e-mail address suggests that they belong to"
            f" the person: {', '.join(claimed)}. Link them first if they do.",
        )


def _claimed_customers(person_ids: Sequence[int]) -> list[str]:
    """Return unlinked customers with an address of the persons that is only claimed."""
    claimed = persons.own_addresses(person_ids, proved=False)
    return sorted({*gateway.unlinked_of((), claimed)}.difference(customer_ids(person_ids)))


def remember(person_ids: Sequence[int]) -> None:
    """Store later objects of the persons' customers without personal data.

    What the revenue figures need to know about the persons is kept.
    """
    owned = customer_ids(person_ids)
    months = dict(RevenueCustomer.objects.filter(pk__in=owned).values_list("pk", "signup_month"))
    facts_of = persons.exclusions_and_signups(person_ids)
    links = StripeCustomer.objects.filter(pk__in=owned)
    person_of = dict(links.values_list("pk", "distinct_id__person_id"))
    ErasedCustomer.objects.bulk_create(
        (
            ErasedCustomer(
                customer_id=customer_id,
                excluded=customer_id in person_of and facts_of[person_of[customer_id]][0],
                signup_month=months.get(customer_id),
            )
            for customer_id in owned
        ),
        ignore_conflicts=True,
    )

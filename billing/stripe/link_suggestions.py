"""Stripe customers that are not linked, and the persons that they may be: staff decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analytics.models import Person
from analytics.people import persons
from billing.stripe import customers, gateway

Json = dict[str, Any]

AT_MOST = 50
PER_ADDRESS = 3  # persons with one address that are suggested


@dataclass(frozen=True, slots=True)
class LinkCandidate:
    """A person that a customer may be, named by a distinct id, and why."""

    person: Person
    distinct_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnlinkedCustomer:
    customer_id: str
    email: str
    name: str
    candidates: tuple[LinkCandidate, ...]
    note: str  # why it is not linked although it names a person


def unlinked() -> list[UnlinkedCustomer]:
    """Return the newest customers that are not linked, with suggestions."""
    stored = gateway.unlinked_customers(AT_MOST)
    references: dict[str, list[str]] = {}
    for customer_id, distinct_id in gateway.client_references([row["id"] for row in stored]):
        references.setdefault(customer_id, []).append(distinct_id)
    return [_unlinked(row, references.get(row["id"], [])) for row in stored]


def _unlinked(stored: Json, references: list[str]) -> UnlinkedCustomer:
    candidates = {
        candidate.person.pk: candidate
        for candidate in (*_by_email(stored), *_by_reference(references))
        if not customers.is_refused(stored["id"], candidate.distinct_id)
    }
    named = customers.metadata_id_of(stored)
    return UnlinkedCustomer(
        customer_id=stored["id"],
        email=stored.get("email") or "",
        name=stored.get("name") or "",
        candidates=tuple(candidates.values()),
        note=f"The metadata names {named}: no such person yet, or refused." if named else "",
    )


def _by_email(stored: Json) -> Iterator[LinkCandidate]:
    email = stored.get("email") or ""
    matches = persons.persons_with_email(email, at_most=PER_ADDRESS + 1) if email else []
    for person in matches[:PER_ADDRESS]:
        if distinct_id := persons.first_distinct_id(person.pk):
            yield LinkCandidate(person, distinct_id, _reason(person, several=len(matches) > 1))


def _reason(person: Person, *, several: bool) -> str:
    if several:
        return "Several persons have this e-mail address."
    if not person.proved.get("email"):
        return "Same e-mail address, which is only claimed."
    if customers.paying_persons([person.pk]):
        return "Same proved e-mail address, but the person already has a Stripe customer."
    return "Same proved e-mail address, which a buyer entered at the checkout."


def _by_reference(references: list[str]) -> Iterator[LinkCandidate]:
    for distinct_id in references:
        if person := persons.find_person(distinct_id):
            reason = "The checkout named this person, as every buyer can with a payment link."
            yield LinkCandidate(person, distinct_id, reason)

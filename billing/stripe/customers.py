"""Link Stripe's customers to persons.

Only proof links: the metadata `distinct_id` of a customer, subscription or checkout session, which
only the company's code can set, or else an e-mail address that is proved and that no buyer entered.
What a buyer can choose, such as the address at the checkout or the `client_reference_id` in the URL
of a payment link, is a suggestion (`link_suggestions`).
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.db import transaction

from analytics.models import Person
from analytics.people import addresses, persons, proving
from analytics.people.addresses import AddressSource
from billing.calculations.stripe_event import customer_of
from billing.models import LinkProof, RefusedLink, StripeCustomer
from billing.stripe import events, gateway, timeline

Json = Mapping[str, Any]

METADATA = "distinct_id"
_NAMING = frozenset({"customer", "subscription", "checkout.session"})  # objects with our metadata


def link_by(stripe_json: Json) -> bool:
    """Link the customer of a stored object; return whether the link is new."""
    return bool(link_all([stripe_json]))


def link_all(objects: Iterable[Json]) -> set[str]:
    """Link the customers of stored objects; return those whose link is new."""
    naming = (customer_of(row) for row in objects if row.get("object") in _NAMING)
    customer_ids = set(naming) - {""}
    return link(customer_ids=customer_ids) if customer_ids else set()


def link(
    *, customer_ids: Collection[str] | None = None, distinct_ids: Collection[str] | None = None
) -> set[str]:
    """Link customers to the persons that are proved; return those whose link is new.

    It does not matter whether a person, its customer or its subscription came first: some of them
    are given where they change, and `link_late` finds the rest.
    """
    linked = _link_by_metadata(
        gateway.named_by_metadata(customer_ids=customer_ids, distinct_ids=distinct_ids)
    )
    if distinct_ids is None:
        _unlink_entered(gateway.linked_by_entered_address(customer_ids=customer_ids))
        linked |= _link_by_addresses(gateway.named_by_address(customer_ids=customer_ids))
    return linked


def link_late(*, distinct_ids: Collection[str] | None = None) -> None:
    """Link the customers that were there before their persons, or before what proves them."""
    linked = link(distinct_ids=distinct_ids)
    if linked:
        timeline.add_all(linked)
    for customer_id in sorted(linked):
        events.enqueue_update(customer_id)


def metadata_id_of(stripe_json: Json) -> str:
    """Return the distinct id that an object's metadata names, "" if it names none."""
    return str((stripe_json.get("metadata") or {}).get(METADATA) or "")


def _link_by_metadata(named: Collection[tuple[str, str]]) -> set[str]:
    """Link customers to the persons that their metadata names."""
    unproved = proving.unproved({distinct_id for _, distinct_id in named})
    for customer_id, distinct_id in named:
        if distinct_id in unproved:
            proving.prove(distinct_id, cause=f"Stripe customer {customer_id}")
    # Proof may split persons, so what they refused and have is read again.
    return gateway.link_named([customer_id for customer_id, _ in named]) if named else set()


def _link_to_address(customer_id: str, distinct_id: str) -> bool:
    if gateway.is_erased(customer_id):
        return False
    proving.prove(distinct_id, cause=f"Stripe customer {customer_id}")
    if is_refused(customer_id, distinct_id):
        return False
    _, created = StripeCustomer.objects.get_or_create(
        customer_id=customer_id,
        defaults={"distinct_id_id": distinct_id, "proof": LinkProof.EMAIL},
    )
    return created


def _link_by_addresses(with_address: Collection[tuple[str, str]]) -> set[str]:
    linked = set()
    for customer_id, email in with_address:
        try:
            if _link_by_email(customer_id, email):
                linked.add(customer_id)
        except gateway.StripeProblem as problem:  # `link_late` tries again
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                break
    return linked


def _link_by_email(customer_id: str, email: str) -> bool:
    """Link to the only person who has proved the address, unless that person has a customer.

    Not if a buyer entered the address, as Stripe is asked: its event may come after the customer's.
    """
    person = persons.person_with_proved_email(email)
    distinct_id = persons.proved_distinct_id(person.pk) if person else None
    if person is None or distinct_id is None or paying_persons([person.pk]):
        return False
    is_entered = gateway.has_entered_address(customer_id)
    return not is_entered and _link_to_address(customer_id, distinct_id)


def _unlink_entered(customer_ids: Collection[str]) -> None:
    """Remove links by an address that turned out to be a buyer's choice."""
    StripeCustomer.objects.filter(pk__in=customer_ids, proof=LinkProof.EMAIL).delete()
    for customer_id in customer_ids:
        events.enqueue_update(customer_id)


def link_by_hand(customer_id: str, distinct_id: str) -> None:
    """Link a customer to the person that staff chose by any distinct id, instead of any other."""
    person = persons.find_person(distinct_id)
    proved_id = persons.proved_distinct_id(person.pk) if person else None
    distinct_id = proved_id or distinct_id
    proving.prove(distinct_id, cause=f"Stripe customer {customer_id}")
    with transaction.atomic():
        RefusedLink.objects.filter(customer_id=customer_id, distinct_id__person=person).delete()
        StripeCustomer.objects.update_or_create(
            customer_id=customer_id,
            defaults={"distinct_id_id": distinct_id, "proof": LinkProof.STAFF},
        )
    timeline.add_all([customer_id])
    events.enqueue_update(customer_id)


def refuse(customer_id: str, distinct_id: str, *, by: str) -> None:
    """Remember that a customer is not this person, and remove a link to it."""
    with transaction.atomic():
        RefusedLink.objects.get_or_create(
            customer_id=customer_id, distinct_id_id=distinct_id, defaults={"refused_by": by}
        )
        StripeCustomer.objects.filter(pk=customer_id, distinct_id=distinct_id).delete()
    events.enqueue_update(customer_id)


def is_refused(customer_id: str, distinct_id: str) -> bool:
    """Return whether staff said that a customer is not the person with a distinct id."""
    refused = RefusedLink.objects.filter(customer_id=customer_id)
    person_ids = set(refused.values_list("distinct_id__person_id", flat=True))
    person = persons.find_person(distinct_id) if person_ids else None
    return person is not None and person.pk in person_ids


def paying_persons(person_ids: Collection[int]) -> set[int]:
    """Return those of these persons who have a Stripe customer, with one query."""
    links = StripeCustomer.objects.filter(distinct_id__person_id__in=person_ids)
    return set(links.values_list("distinct_id__person_id", flat=True))


def ensure_customer(person: Person, distinct_id: str) -> str:
    """Return the id of a person's Stripe customer; create the customer if there is none."""
    if customer_ids := gateway.customer_ids_of(person.pk):
        return customer_ids[0]
    # Parallel requests create one customer; after a deletion at Stripe a new one is possible.
    key = f"plumbline-customer-{_digest(distinct_id)}-{_attempt(person)}"
    return create_customer(distinct_id, key=key, **_proved_email(person))


def create_customer(distinct_id: str, *, key: str, **more: Any) -> str:
    """Create a customer of a person, once for each idempotency key, and return its id."""
    metadata = {METADATA: distinct_id}
    customer = gateway.call("post", "/v1/customers", metadata=metadata, idempotency_key=key, **more)
    if gateway.stored("customer", customer["id"]) is None:  # Stripe repeats its first response
        gateway.store(customer, as_of=gateway.moment(), read_now=True)
    link(customer_ids=[customer["id"]])
    return str(customer["id"])


def _proved_email(person: Person) -> dict[str, str]:
    """Return the address for a new customer; Stripe asks for one where only a claim exists."""
    own = addresses.address_of(person)
    return {"email": own.address} if own.source is AddressSource.PROVED else {}


def _digest(distinct_id: str) -> str:
    """Return what a header can hold, whatever the id consists of."""
    return sha256(distinct_id.encode(errors="surrogatepass")).hexdigest()


def _attempt(person: Person) -> int:
    return StripeCustomer.objects.filter(distinct_id__person=person).count()

"""Link Stripe's customers to persons.

A customer is the person with the distinct id that Stripe sends (the customer's metadata
`distinct_id`, or a checkout's `client_reference_id`), or else the only person with the customer's
e-mail address.
"""

from collections.abc import Collection, Mapping
from typing import Any

from analytics.calculations.records import MAX_NAME
from analytics.models import Person
from analytics.people import persons
from billing.models import StripeCustomer
from billing.stripe import gateway

Json = Mapping[str, Any]

METADATA = "distinct_id"


def link(customer_id: str, distinct_id: str) -> bool:
    """Link a customer to the person with a distinct id; return whether the link is new."""
    if not distinct_id or len(distinct_id) > MAX_NAME or "\0" in distinct_id:
        return False
    if persons.find_person(distinct_id) is None or gateway.is_erased(customer_id):
        return False
    _, created = StripeCustomer.objects.get_or_create(
        customer_id=customer_id, defaults={"distinct_id_id": distinct_id}
    )
    return created


def link_by(stripe_json: Json) -> bool:
    """Link a customer by one of its objects; return whether the link is new."""
    match stripe_json.get("object"):
        case "customer":
            distinct_id = (stripe_json.get("metadata") or {}).get(METADATA) or ""
            return link(stripe_json["id"], str(distinct_id)) or _link_by_email(stripe_json)
        case "checkout.session" if isinstance(stripe_json.get("customer"), str):
            distinct_id = stripe_json.get("client_reference_id") or ""
            return link(stripe_json["customer"], str(distinct_id))
    return False


def _link_by_email(customer: Json) -> bool:
    email = customer.get("email")
    if not isinstance(email, str) or not email:
        return False
    if StripeCustomer.objects.filter(pk=customer["id"]).exists():
        return False
    person = persons.person_with_email(email)
    distinct_id = persons.first_distinct_id(person.pk) if person else None
    return distinct_id is not None and link(customer["id"], distinct_id)


def paying_persons(person_ids: Collection[int]) -> set[int]:
    """Return those of these persons who have a Stripe customer, with one query."""
    links = StripeCustomer.objects.filter(distinct_id__person_id__in=person_ids)
    return set(links.values_list("distinct_id__person_id", flat=True))


def ensure_customer(person: Person, distinct_id: str) -> str:
    """Return the id of a person's Stripe customer; create the customer if there is none."""
    if customer_ids := gateway.customer_ids_of(person.pk):
        return customer_ids[0]
    details = {"email": person.email} if person.email else {}
    customer = gateway.call(
        "post",
        "/v1/customers",
        metadata={METADATA: distinct_id},
        # Parallel requests create one customer; after a deletion at Stripe a new one is possible.
        idempotency_key=f"plumbline-customer-{distinct_id}-{_attempt(person)}",
        **details,
    )
    gateway.store(customer, as_of=gateway.moment(), read_now=True)
    link(customer["id"], distinct_id)
    return str(customer["id"])


def _attempt(person: Person) -> int:
    return StripeCustomer.objects.filter(distinct_id__person=person).count()

"""Who is who: Stripe's customers and Plumbline's persons.

A customer is the person whose distinct id Stripe tells (the customer's metadata `distinct_id`, or
a checkout's `client_reference_id`), or else the only person with the customer's e-mail address.
"""

from collections.abc import Mapping
from typing import Any

from analytics.calculations.records import MAX_NAME
from analytics.models import Person
from analytics.people import persons
from billing.models import StripeCustomer
from billing.stripe import gateway

Json = Mapping[str, Any]

METADATA = "distinct_id"


def link(customer_id: str, distinct_id: str) -> bool:
    """Let a customer be the person known by a distinct id; return whether that is news."""
    if not distinct_id or len(distinct_id) > MAX_NAME or "\0" in distinct_id:
        return False
    if persons.find_person(distinct_id) is None:
        return False
    _, created = StripeCustomer.objects.get_or_create(
        customer_id=customer_id, defaults={"distinct_id_id": distinct_id}
    )
    return created


def link_by(stripe_json: Json) -> bool:
    """Link a customer by what an object of his says; return whether that is news."""
    match stripe_json.get("object"):
        case "customer":
            told = (stripe_json.get("metadata") or {}).get(METADATA) or ""
            return link(stripe_json["id"], str(told)) or _link_by_email(stripe_json)
        case "checkout.session" if isinstance(stripe_json.get("customer"), str):
            told = stripe_json.get("client_reference_id") or ""
            return link(stripe_json["customer"], str(told))
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


def customer_of(person: Person, distinct_id: str) -> str:
    """Return the Stripe customer of a person, a new one where there is none."""
    if found := gateway.customer_ids_of(person.pk):
        return found[0]
    details = {"email": person.email} if person.email else {}
    customer = gateway.call(
        "post",
        "/v1/customers",
        metadata={METADATA: distinct_id},
        # Parallel requests make one customer; who was deleted there may become another one.
        idempotency_key=f"plumbline-customer-{distinct_id}-{_attempt(person)}",
        **details,
    )
    gateway.store(customer, as_of=gateway.moment(), read_now=True)
    link(customer["id"], distinct_id)
    return str(customer["id"])


def _attempt(person: Person) -> int:
    return StripeCustomer.objects.filter(distinct_id__person=person).count()

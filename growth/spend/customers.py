"""New customers, what they pay, and the channel that brought each."""

from collections.abc import Mapping
from datetime import date

from django.db.models import Min, QuerySet

from analytics.models import Person
from analytics.rollups import definitions
from billing.calculations.movements import MovementKind
from billing.models import MrrMovement
from billing.stripe import gateway
from growth.calculations.spend.acquisition import Payers
from growth.calculations.spend.touch import Touch, brought, first_touch
from growth.spend import aliases

UNATTRIBUTED = ""


def new_customers(*, first: date, last: date) -> dict[str, date]:
    """Return the customers with their first MRR on these days, and that day."""
    rows = MrrMovement.objects.counted().filter(kind=MovementKind.NEW, day__range=(first, last))
    return dict(rows.values_list("customer_id").annotate(Min("day")))


def paid_by(customer_ids: set[str] | None, *, as_of: date) -> dict[str, int]:
    """Return the MRR at the end of a day of those of some customers, or of all, who pay."""
    rows = MrrMovement.objects.counted().filter(day__lte=as_of)
    if customer_ids is not None:
        rows = rows.filter(customer_id__in=customer_ids)
    last: QuerySet = rows.order_by("customer_id", "-day").distinct("customer_id")
    return {
        customer: closing
        for customer, closing in last.values_list("customer_id", "closing")
        if closing > 0
    }


def payers(paid: Mapping[str, int]) -> Payers:
    return Payers(len(paid), sum(paid.values()), sum(mrr * mrr for mrr in paid.values()))


def channels_of(customers: Mapping[str, date]) -> dict[str, str]:
    """Return the channel of each new customer, `UNATTRIBUTED` where no touch brought it.

    The values are the days of their first MRR: who paid before a touch was not brought by it (P97).
    """
    persons_by_customer = gateway.persons_of(list(customers)) if customers else {}
    persons = Person.objects.only(
        "signup_at", "properties", "proved", "set_at", "proved_set_at"
    ).in_bulk(set(persons_by_customer.values()))
    return {
        customer: _channel(persons.get(persons_by_customer.get(customer, 0)), day)
        for customer, day in customers.items()
    }


def _channel(person: Person | None, first_paid: date) -> str:
    if person is None:
        return UNATTRIBUTED
    touch: Touch | None = first_touch(person.properties, _times(person))
    _, paid_before = definitions.calendar().span(first_paid, first_paid)
    if touch is None or not brought(touch, signup_at=person.signup_at, paid_before=paid_before):
        return UNATTRIBUTED
    return aliases.channels().get(touch.channel, touch.channel)


def _times(person: Person) -> dict[str, int]:
    """Return when each property in effect was set: proved values are in effect where they exist."""
    proved = person.proved_set_at.items()
    return {**person.set_at, **{name: time for name, time in proved if name in person.proved}}

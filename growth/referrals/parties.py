"""What is known about inviters and referred persons that two accounts of one person share."""

from django.db.models import Max, Min

from analytics.models import Event, Person
from analytics.models.event import property_of_event
from analytics.rollups import definitions
from billing.stripe import gateway
from growth.calculations.reward import Party, Signal, signals
from growth.models import ReferralReward
from growth.referrals import referred

EVENTS_READ = 1_000  # the latest of a person


def signals_of(reward: ReferralReward) -> list[Signal]:
    """Return what makes a reward suspicious, from the persons as they are now."""
    inviter, person = reward.code.distinct_id.person, reward.referred.person
    own = referred.signed_up().filter(distinct_id__person=person, code_id=reward.code_id)
    return signals(
        party(inviter),
        party(person),
        counts=own.exists(),
        proved=own.filter(proved=True).exists(),
        used_later=used_later(person),
    )


def party(person: Person) -> Party:
    customers = gateway.customer_ids_of(person.pk)
    addresses = [person.properties.get("email"), person.proved.get("email")]
    addresses.append(gateway.addresses_of([person.pk]).get(person.pk))
    return Party(
        person_id=person.pk,
        addresses=frozenset(text for text in addresses if isinstance(text, str)),
        devices=_devices(person),
        cards=frozenset(gateway.card_fingerprints(customers)),
    )


def used_later(person: Person) -> bool:
    """Whether it is proved that the person was active on two days; a claim costs nothing."""
    passive = definitions.in_force().ignored_events
    events = Event.objects.filter(person=person, proved=True).exclude(event__in=passive)
    first, last = events.aggregate(first=Min("timestamp"), last=Max("timestamp")).values()
    day = definitions.calendar().local_date
    return first is not None and day(first) < day(last)


def _devices(person: Person) -> frozenset[str]:
    latest = Event.objects.filter(person=person).order_by("-timestamp")
    values = latest.values_list(property_of_event("$device_id"), flat=True)[:EVENTS_READ]
    return frozenset(value for value in values if isinstance(value, str) and value)

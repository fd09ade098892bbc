"""Reservations of usage, so that parallel requests cannot exceed a limit together."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from analytics.models import Person
from billing.calculations.plan import Meter
from billing.calculations.usage import MeterUsage, outstanding
from billing.limits import plans
from billing.limits.usage_limits import (
    UsageDecision,
    decision,
    meter_usage_of,
    situation_of,
    unknown_person,
)
from billing.models import UsageReservation
from billing.stripe.idempotency import IdempotencyKey, IdempotencyKeyReused

RESERVED_FOR = timedelta(minutes=10)  # until its events must have arrived
KEPT_FOR = timedelta(days=1)  # after that, so that a retry with the same key is recognized
LARGEST_REQUEST = 1_000_000_000


@transaction.atomic
def reserve(
    distinct_id: str,
    meter: str,
    amount: int = 1,
    *,
    now: datetime,
    idempotency_key: IdempotencyKey | None = None,
) -> UsageDecision:
    """Check, and hold what is allowed until its events arrive.

    Takes the person's lock, so that parallel requests cannot exceed a limit together. The events
    settle the reservation; without any it expires after `RESERVED_FOR`. The same key gets the same
    reservation while it holds the amount; then the request is checked like a new one. Raise
    `UnknownName`, or `IdempotencyKeyReused` if the key was used with another amount.
    """
    situation = situation_of(distinct_id, now=now, locked=True)
    meter_usage = meter_usage_of(situation, meter, now=now)
    outcome = decision(situation, meter_usage, amount)
    earlier = _earlier(situation.person, meter_usage.meter, idempotency_key)
    if earlier and earlier.amount != amount:
        text = f"The key was used to reserve {earlier.amount}, not {amount}."
        raise IdempotencyKeyReused(text)
    if earlier and earlier.holds(meter_usage.window.start, now=now):
        return replace(outcome, allowed=True, reservation=earlier)
    if not outcome.allowed or meter_usage.remaining is None:  # without a hard limit, no hold
        return outcome
    if earlier:
        earlier.delete()
    held = _hold(distinct_id, meter_usage, amount, now=now, idempotency_key=idempotency_key)
    return replace(outcome, reservation=held)


@transaction.atomic
def release(reservation_id: UUID, *, now: datetime) -> bool:
    """Release a reservation that will not be used; False if there is none.

    Later reservations begin where it ends, so they move down by what its events have not settled.
    """
    rows = UsageReservation.objects.select_related("meter").filter(pk=reservation_id)
    if not (unlocked := rows.first()):
        return False
    situation = plans.situation_of(unlocked.distinct_id_id, now=now, locked=True)
    if not situation or not (reservation := rows.first()):
        return False
    meter_usage = meter_usage_of(situation, reservation.meter.slug, now=now)
    if meter_usage.window.start == reservation.period_start:
        unsettled = outstanding(
            meter_usage.usage.used,
            amounts=Decimal(reservation.amount),
            up_to=reservation.up_to,
        )
        UsageReservation.objects.filter(
            distinct_id__person_id=situation.person.pk,
            meter_id=reservation.meter_id,
            period_start=reservation.period_start,
            up_to__gt=reservation.up_to,
        ).update(up_to=F("up_to") - unsettled)
    reservation.delete()
    return True


def delete_expired(now: datetime) -> None:
    UsageReservation.objects.filter(expires_at__lt=now - KEPT_FOR).delete()


def _hold(
    distinct_id: str,
    meter_usage: MeterUsage,
    amount: int,
    *,
    now: datetime,
    idempotency_key: IdempotencyKey | None,
) -> UsageReservation:
    try:
        return UsageReservation.objects.create(
            distinct_id_id=distinct_id,
            meter_id=meter_usage.meter.id,
            period_start=meter_usage.window.start,
            amount=amount,
            up_to=meter_usage.usage.taken + amount,
            expires_at=now + RESERVED_FOR,
            idempotency_key=idempotency_key.text if idempotency_key else None,
            key_of_id=idempotency_key.user_id if idempotency_key else None,
        )
    except IntegrityError as error:  # the person was erased a moment ago
        raise unknown_person(distinct_id) from error


def _earlier(person: Person, meter: Meter, key: IdempotencyKey | None) -> UsageReservation | None:
    if key is None:
        return None
    return UsageReservation.objects.filter(
        distinct_id__person_id=person.pk,
        meter_id=meter.id,
        key_of_id=key.user_id,
        idempotency_key=key.text,
    ).first()

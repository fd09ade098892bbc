"""May this person do more? The limits in force, and reservations that nobody can pass together."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from analytics.models import Person
from billing.calculations.plan import Meter, Period, PlanTerms, Window, limit_in_force
from billing.calculations.usage import Standing, outstanding, window
from billing.limits import plans, usage
from billing.limits.plans import Situation
from billing.models import UsageReservation
from billing.stripe import gateway

RESERVED_FOR = timedelta(minutes=10)  # until the event has to have arrived
KEPT_FOR = timedelta(days=1)  # beyond it, so that a retry with its idempotency key is recognised
LARGEST_REQUEST = 1_000_000_000


class Unknown(LookupError):
    """Nobody, or nothing, has that name; `field` says which was asked for."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class KeyReused(ValueError):
    """An idempotency key comes again with another amount."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether `amount` more is allowed, and where the person stands, before it."""

    person: Person
    standing: Standing
    amount: int
    allowed: bool
    suggested: PlanTerms | None  # the plan that allows it, and more than this one
    reservation: UsageReservation | None = None

    @property
    def upgrade_url(self) -> str:
        """A ready checkout link. It may ask Stripe, so it is made when it is shown."""
        return plans.upgrade_url(self.person, self.suggested)


@dataclass(frozen=True, slots=True)
class Account:
    """Everything about a person's limits."""

    situation: Situation
    price_ids: list[str]  # that the person pays
    plan: PlanTerms
    standings: list[Standing]

    @property
    def unmapped_prices(self) -> list[str]:
        """The prices that no plan is mapped to."""
        return self.situation.catalogue.unmapped(self.price_ids)


def account_of(distinct_id: str, *, now: datetime) -> Account:
    """Return where a person stands with every meter, in 4 queries; raise `Unknown`."""
    return _account(_known(plans.situation_of(distinct_id, now=now), distinct_id), now=now)


def account_of_person(person_id: int, *, now: datetime) -> Account | None:
    """Return the same by a person's number; None where there is none."""
    situation = plans.situation_of_person(person_id, now=now)
    return _account(situation, now=now) if situation else None


def one_more(account: Account, standing: Standing) -> Answer:
    """Say whether one more of a meter is allowed, and which plan gives more."""
    return _answer(account.situation, standing, 1)


def check(distinct_id: str, meter: str, amount: int = 1, *, now: datetime) -> Answer:
    """Say whether a person may use `amount` more, in at most 4 queries; raise `Unknown`."""
    situation = _known(plans.situation_of(distinct_id, now=now), distinct_id)
    return _answer(situation, _standing(situation, meter, now=now), amount)


@transaction.atomic
def reserve(
    distinct_id: str,
    meter: str,
    amount: int = 1,
    *,
    now: datetime,
    idempotency_key: str | None = None,
) -> Answer:
    """Check, and hold back what is allowed until its events arrive; raise `Unknown`, `KeyReused`.

    One at a time for a person, so that parallel requests cannot pass a limit together. The events
    settle the reservation; without any it expires after `RESERVED_FOR`.
    """
    situation = _known(plans.situation_of(distinct_id, now=now, locked=True), distinct_id)
    standing = _standing(situation, meter, now=now)
    if idempotency_key is not None and (
        earlier := _earlier(situation.person, standing.meter, idempotency_key)
    ):
        if earlier.amount != amount:
            raise KeyReused(f"It was used to reserve {earlier.amount}, not {amount}.")
        return replace(_answer(situation, standing, amount), allowed=True, reservation=earlier)
    answer = _answer(situation, standing, amount)
    if not answer.allowed or standing.remaining is None:  # where nothing blocks, nothing is held
        return answer
    held = _hold(distinct_id, standing, amount, now=now, idempotency_key=idempotency_key)
    return replace(answer, reservation=held)


@transaction.atomic
def release(reservation_id: UUID, *, now: datetime) -> bool:
    """Give back a reservation whose use did not happen; False where there is none.

    Later ones began where it ends, so they move down by what its events have not settled.
    """
    found = UsageReservation.objects.select_related("meter").filter(pk=reservation_id)
    if not (known := found.first()):
        return False
    situation = plans.situation_of(known.distinct_id_id, now=now, locked=True)
    if not situation or not (reservation := found.first()):
        return False
    standing = _standing(situation, reservation.meter.slug, now=now)
    if standing.window.start == reservation.period_start:
        unsettled = outstanding(
            standing.usage.used,
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


def forget_expired(now: datetime) -> None:
    UsageReservation.objects.filter(expires_at__lt=now - KEPT_FOR).delete()


def _known(situation: Situation | None, distinct_id: str) -> Situation:
    if situation is None:
        raise _nobody(distinct_id)
    return situation


def _nobody(distinct_id: str) -> Unknown:
    return Unknown("distinct_id", f"Nobody is known by the distinct id {distinct_id!r}.")


def _standing(situation: Situation, slug: str, *, now: datetime) -> Standing:
    meter = situation.catalogue.meter(slug)
    if meter is None:
        known = ", ".join(meter.slug for meter in situation.catalogue.meters)
        raise Unknown("meter", f"There is no meter {slug!r}; there are {known or 'none'}.")
    price_ids = gateway.current_price_ids(situation.person.pk)
    [standing] = _standings(situation, [meter], price_ids, now=now)
    return standing


def _account(situation: Situation, *, now: datetime) -> Account:
    price_ids = gateway.current_price_ids(situation.person.pk)
    catalogue = situation.catalogue
    return Account(
        situation=situation,
        price_ids=price_ids,
        plan=catalogue.plan_for(price_ids, situation.exemptions),
        standings=_standings(situation, catalogue.meters, price_ids, now=now),
    )


def _standings(
    situation: Situation, meters: Collection[Meter], price_ids: Collection[str], *, now: datetime
) -> list[Standing]:
    person_id, exemptions = situation.person.pk, situation.exemptions
    plan = situation.catalogue.plan_for(price_ids, exemptions)
    windows = _windows(person_id, meters, subscribed=bool(price_ids), now=now)
    used = usage.usage_of(person_id, windows, plan=plan.slug, now=now)
    return [
        Standing(
            meter=meter,
            plan=plan,
            limit=limit_in_force(plan, meter.slug, exemptions),
            window=windows[meter],
            usage=used[meter.slug],
        )
        for meter in meters
    ]


def _windows(
    person_id: int, meters: Collection[Meter], *, subscribed: bool, now: datetime
) -> dict[Meter, Window]:
    billed = subscribed and any(meter.period is Period.BILLING for meter in meters)
    billing = gateway.current_period(person_id) if billed else None
    zone = plans.zone()
    return {meter: window(meter.period, now=now, zone=zone, billing=billing) for meter in meters}


def _answer(situation: Situation, standing: Standing, amount: int) -> Answer:
    allowed = standing.allows(amount)
    suggested, limit = None, standing.limit
    if limit is not None:
        needed = max(standing.usage.taken + amount, Decimal(limit.amount + 1))
        suggested = situation.catalogue.upgrade(standing.plan, standing.meter.slug, needed)
    return Answer(situation.person, standing, amount, allowed, suggested)


def _hold(
    distinct_id: str, standing: Standing, amount: int, *, now: datetime, idempotency_key: str | None
) -> UsageReservation:
    try:
        return UsageReservation.objects.create(
            distinct_id_id=distinct_id,
            meter_id=standing.meter.id,
            period_start=standing.window.start,
            amount=amount,
            up_to=standing.usage.taken + amount,
            expires_at=now + RESERVED_FOR,
            idempotency_key=idempotency_key,
        )
    except IntegrityError as error:  # erased a moment ago
        raise _nobody(distinct_id) from error


def _earlier(person: Person, meter: Meter, key: str) -> UsageReservation | None:
    return UsageReservation.objects.filter(
        distinct_id__person_id=person.pk, meter_id=meter.id, idempotency_key=key
    ).first()

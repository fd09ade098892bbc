"""The rows of the MRR ledger, computed from stored Stripe objects."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from analytics.people.persons import exclusions_and_signups
from billing.calculations.history import (
    NO_RECORD,
    History,
    MrrChange,
    at_risk,
    customer_history,
    scheduled,
    with_tax,
)
from billing.calculations.movements import Ledger, Movement, day_levels, ledger
from billing.calculations.versions.subscription_versions import Held
from billing.models import ErasedCustomer, StripeCustomer
from billing.revenue.fx import Rates
from billing.stripe import gateway
from common.calculations.calendar import LocalCalendar, month_start
from common.calculations.currency import rounded

Frozen = Mapping[tuple[str, int, str], Decimal]  # rates by customer, day (an ordinal) and currency
Row = tuple[Any, ...]


@dataclass(frozen=True)
class LedgerContext:
    """What every customer's rows depend on."""

    reporting: str
    calendar: LocalCalendar
    now: datetime
    rates: Rates

    @property
    def today(self) -> int:
        return self.calendar.day(self.now)


@dataclass
class LedgerRows:
    """The rows of some customers, in the order of their columns (`ledger_writing`)."""

    movements: dict[str, list[Row]] = field(default_factory=dict)
    customers: list[Row] = field(default_factory=list)
    held: list[tuple[str, Held]] = field(default_factory=list)
    starts: list[Row] = field(default_factory=list)


def rows_of(customer_ids: Collection[str], context: LedgerContext, frozen: Frozen) -> LedgerRows:
    """Compute the rows of some customers; without subscriptions only excluded ones have any."""
    subscriptions: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for stripe_json in gateway.subscriptions_of(customer_ids):
        subscriptions[customer_of(stripe_json)].append(stripe_json)
    for event in gateway.subscription_events(customer_ids):
        events[customer_of(event["data"]["object"])].append(event)
    persons = _Persons(customer_ids, context.calendar)
    records = gateway.customer_records(customer_ids)
    stored = _Stored()
    rows = LedgerRows()
    ids = subscriptions.keys() | events.keys() | persons.excluded(customer_ids)
    for customer_id in sorted(ids):
        history = customer_history(
            subscriptions.get(customer_id, ()),
            events.get(customer_id, ()),
            record=records.get(customer_id, NO_RECORD),
            stored=stored,
        )
        rows.held += [(customer_id, held) for held in history.held]
        rows.starts += [
            (state.id, customer_id, datetime.fromtimestamp(state.created, UTC))
            for state in history.latest
        ]
        book = _book(customer_id, history, context, frozen)
        rows.movements[customer_id] = [_movement(customer_id, row) for row in book.movements]
        rows.customers.append(
            _customer(customer_id, history, book, context, persons, refers_to=stored.used())
        )
    return rows


class _Stored:
    """Stored objects that others refer to, each read once, and those used since the last call."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._used: set[str] = set()

    def __call__(self, kind: str, stripe_id: str) -> Mapping[str, Any] | None:
        key = kind, stripe_id
        if key not in self._objects:
            self._objects[key] = gateway.stored(kind, stripe_id)
        if kind != "discount":  # it belongs to a customer, who is recounted anyway
            self._used.add(stripe_id)
        return self._objects[key]

    def used(self) -> tuple[str, ...]:
        used, self._used = self._used, set()
        return tuple(sorted(used))


def customer_of(subscription: Mapping[str, Any]) -> str:
    """Return the customer's id, also of an expanded customer."""
    customer = subscription.get("customer")
    return (customer.get("id") if isinstance(customer, dict) else customer) or ""


class _Persons:
    """Whether customers are excluded, and when they signed up."""

    def __init__(self, customer_ids: Collection[str], calendar: LocalCalendar) -> None:
        self._person = gateway.persons_of(customer_ids)
        persons = exclusions_and_signups(set(self._person.values()))
        self._facts = {
            pk: (excluded, signup_at and date.fromordinal(month_start(calendar.day(signup_at))))
            for pk, (excluded, signup_at) in persons.items()
        }

        erased = ErasedCustomer.objects.filter(pk__in=list(customer_ids))
        self._erased = {
            customer_id: (excluded, month)
            for customer_id, excluded, month in erased.values_list("pk", "excluded", "signup_month")
        }

    def facts_of(self, customer_id: str) -> tuple[bool, date | None]:
        if erased := self._erased.get(customer_id):
            return erased
        return self._facts.get(self._person.get(customer_id, 0), (False, None))

    def excluded(self, customer_ids: Collection[str]) -> set[str]:
        return {customer_id for customer_id in customer_ids if self.facts_of(customer_id)[0]}


def person_facts(
    customer_ids: Collection[str], calendar: LocalCalendar
) -> Callable[[str], tuple[bool, date | None]]:
    """Return a function from a customer's id to whether it is excluded, and its signup month."""
    return _Persons(customer_ids, calendar).facts_of


def excluded_customers() -> set[str]:
    """Return the customers of excluded persons, whether or not they subscribe."""
    links = StripeCustomer.objects.filter(distinct_id__person__excluded=True)
    erased = ErasedCustomer.objects.filter(excluded=True)
    return {*links.values_list("pk", flat=True), *erased.values_list("pk", flat=True)}


def _book(customer_id: str, history: History, context: LedgerContext, frozen: Frozen) -> Ledger:
    def rate_on(currency: str, day: int) -> Fraction | None:
        kept = frozen.get((customer_id, day, currency))
        return context.rates.on(currency, day) if kept is None else Fraction(kept)

    now = context.now.timestamp()
    so_far = [change for change in history.changes if change.moment <= now]
    levels = day_levels(so_far, day_of=context.calendar.day_at)
    return ledger(levels, reporting=context.reporting, rate_on=rate_on)


def _movement(customer_id: str, movement: Movement) -> Row:
    return (
        customer_id,
        date.fromordinal(movement.day),
        movement.kind.value,
        movement.amount,
        movement.currency,
        movement.original_amount,
        None if movement.rate is None else _decimal(movement.rate),
        movement.opening,
        movement.closing,
        list(movement.sources),
    )


def _decimal(rate: Fraction) -> Decimal:
    return Decimal(rate.numerator) / Decimal(rate.denominator)  # it has ten decimal places


def _customer(
    customer_id: str,
    history: History,
    book: Ledger,
    context: LedgerContext,
    persons: _Persons,
    *,
    refers_to: tuple[str, ...],
) -> Row:
    now = int(context.now.timestamp())
    ends = scheduled(history)
    ending: dict[str, Fraction] = defaultdict(Fraction)
    for _, currency, amount in ends:
        ending[currency] += amount
    first_end = min((moment for moment, _, _ in ends), default=None)
    excluded, signup_month = persons.facts_of(customer_id)
    return (
        customer_id,
        book.mrr,
        _reported(at_risk(history, now), book),
        _reported(ending, book),
        _reported(with_tax(history, now), book),
        None if first_end is None else _day(first_end, context),
        _next_change(history.changes, now, context),
        signup_month,
        refers_to,
        excluded,
    )


def _reported(amounts: Mapping[str, Fraction], book: Ledger) -> int:
    """Convert parts of a customer's MRR at the rates used for all of it."""
    total = 0
    for currency, amount in amounts.items():
        position = book.positions.get(currency)
        if position and position.level:
            total += rounded(position.reported * min(amount / position.level, Fraction(1)))
    return total


def _next_change(changes: Collection[MrrChange], now: int, context: LedgerContext) -> date | None:
    ahead = [change.moment for change in changes if change.moment > now]
    return _day(min(ahead), context) if ahead else None


def _day(moment: int, context: LedgerContext) -> date:
    return date.fromordinal(context.calendar.day_at(moment))

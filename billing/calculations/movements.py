"""MRR movements, per customer and calendar day, never per subscription (P37).

Days are ordinals (``date.toordinal``), amounts minor units. A movement compares what a customer
paid before and after a day, so duplicate events of a cancellation count once (P13).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

import msgspec

from billing.calculations.history import MrrChange
from common.calculations.currency import converted, part, rounded

RateOn = Callable[[str, int], Fraction | None]  # of a currency on a day; None: unknown


class MovementKind(StrEnum):
    NEW = "new"
    REACTIVATION = "reactivation"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    HELD = "held"  # no exchange rate: not in any total until there is one


class DayLevels(msgspec.Struct, frozen=True, gc=False):
    """What a customer pays per month at the end of a day, by currency."""

    day: int
    levels: Mapping[str, int]
    sources: Mapping[str, tuple[str, ...]]  # the Stripe objects behind a change, by currency


class Movement(msgspec.Struct, frozen=True, gc=False):
    """The change of a day in one currency; `amount`, `opening`, `closing` are as reported.

    `opening` and `closing` are the customer's whole MRR; `rate` is None in the reporting currency.
    """

    day: int
    kind: MovementKind
    amount: int
    currency: str
    original_amount: int
    rate: Fraction | None
    opening: int
    closing: int
    sources: tuple[str, ...]


@dataclass(slots=True)
class CurrencyPosition:
    """What a customer pays in one currency, how much of it is counted, and its reported amount."""

    level: int = 0
    counted: int = 0  # of `level`, the part that had a rate
    reported: int = 0


@dataclass(slots=True)
class Ledger:
    """A customer's movements, and the positions after them."""

    movements: list[Movement] = field(default_factory=list)
    positions: dict[str, CurrencyPosition] = field(default_factory=dict)
    mrr: int = 0  # the reported amount of all positions


def day_levels(
    changes: Sequence[MrrChange], *, day_of: Callable[[int], int]
) -> Iterator[DayLevels]:
    """Yield the days with changes; changes are in order of time."""
    paid: dict[str, tuple[str, Fraction]] = {}
    for day, of_day in groupby(changes, key=lambda change: day_of(change.moment)):
        sources: dict[str, dict[str, None]] = defaultdict(dict)
        for change in of_day:
            paid[change.subscription] = change.currency, change.amount
            sources[change.currency] |= dict.fromkeys(change.sources)
        exact: dict[str, Fraction] = {}
        for currency, amount in paid.values():
            if currency in sources:
                before = exact.get(currency)
                exact[currency] = amount if before is None else before + amount
        yield DayLevels(
            day,
            {currency: rounded(amount) for currency, amount in exact.items()},
            {currency: tuple(ids) for currency, ids in sources.items()},
        )


def ledger(days: Iterator[DayLevels], *, reporting: str, rate_on: RateOn) -> Ledger:
    """Return the movements of one customer.

    Increases are converted at the rate of their day. Decreases are converted at the rate of the
    increases, so that nothing is left of a customer that pays nothing.
    """
    book = Ledger()
    has_paid = False
    for day in days:
        opening = book.mrr
        parts = [
            (
                currency,
                *_moved(book, currency, level, day=day.day, reporting=reporting, rate_on=rate_on),
            )
            for currency, level in sorted(day.levels.items())
        ]
        closing = book.mrr
        kind = _kind(opening, closing, has_paid=has_paid)
        has_paid = has_paid or closing > 0
        for currency, original, amount, rate, held in parts:
            if not original or (not held and opening == closing == 0):
                continue
            book.movements.append(
                Movement(
                    day.day,
                    MovementKind.HELD if held else kind,
                    amount,
                    currency,
                    original,
                    rate,
                    opening,
                    closing,
                    day.sources[currency],
                )
            )
    return book


def _moved(
    book: Ledger, currency: str, level: int, *, day: int, reporting: str, rate_on: RateOn
) -> tuple[int, int, Fraction | None, bool]:
    """Move a position to a level; return the change, the reported change, its rate, if held."""
    position = book.positions.setdefault(currency, CurrencyPosition())
    change, before = level - position.level, position.reported
    rate: Fraction | None = None
    held = False
    if change > 0:
        rate = None if currency == reporting else rate_on(currency, day)
        held = rate is None and currency != reporting
        if rate is not None:
            position.reported += converted(change, rate, source=currency, target=reporting)
        elif not held:
            position.reported += change
        position.counted += 0 if held else change
    elif change < 0:
        held = not position.counted
        if position.counted:
            position.reported = part(position.reported, level, position.level)
            position.counted = part(position.counted, level, position.level)
    position.level = level
    book.mrr += position.reported - before
    return change, position.reported - before, rate, held


def _kind(opening: int, closing: int, *, has_paid: bool) -> MovementKind:
    if not opening:
        return MovementKind.REACTIVATION if has_paid else MovementKind.NEW
    if not closing:
        return MovementKind.CHURN
    return MovementKind.EXPANSION if closing >= opening else MovementKind.CONTRACTION

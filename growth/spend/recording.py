"""Record spend: the same rows again replace themselves, and what changes is said before and after.

The exchange rate of a row is that of its day, kept from then on: rates that are imported later do
not change recorded amounts (P96).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Q, QuerySet

from billing.revenue import settings as revenue_settings
from billing.revenue.fx import Rates
from common.calculations.currency import converted
from growth.calculations.spend.lines import SpendLine
from growth.calculations.spend.prorating import per_day
from growth.models import SpendDay

_KEY = ["channel", "campaign", "day"]
_VALUES = ["amount", "currency", "into", "fx_rate", "reported", "updated_at", "is_demo"]
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Replaced:
    """A row that gets another amount or currency, as it was and as it will be."""

    before: SpendDay
    after: SpendDay


@dataclass(slots=True)
class Changes:
    """What lines of spend change, day by day."""

    added: list[SpendDay] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    converted: list[SpendDay] = field(default_factory=list)  # were held, and have a rate now
    unchanged: int = 0

    @property
    def to_write(self) -> list[SpendDay]:
        return self.added + [row.after for row in self.replaced] + self.converted

    @property
    def held(self) -> list[str]:
        """The currencies of amounts that have no exchange rate."""
        return sorted({row.currency for row in self.to_write if row.reported is None})


def preview(lines: Sequence[SpendLine], *, now: datetime, is_demo: bool = False) -> Changes:
    """Return what lines would change; their channels are not aliases, and no two share a day."""
    into = revenue_settings.currency_in_force()
    rates, stored = Rates(into), _stored(lines)
    changes = Changes()
    for line, day, amount in _days(lines):
        before = stored.get((line.channel, line.campaign, day))
        row = SpendDay(channel=line.channel, campaign=line.campaign, day=day, amount=amount)
        row.currency, row.updated_at, row.is_demo = line.currency, now, is_demo
        _convert(row, into, rates, before)
        _sort_in(changes, row, before)
    return changes


@transaction.atomic
def save(lines: Sequence[SpendLine], *, now: datetime, is_demo: bool = False) -> Changes:
    """Store lines, and return what they changed."""
    changes = preview(lines, now=now, is_demo=is_demo)
    _write(changes.to_write)
    return changes


def delete(*, channel: str, first: date, last: date, campaign: str | None = None) -> int:
    """Delete the spend of a channel on some days, of all campaigns or only of one."""
    rows = SpendDay.objects.filter(channel=channel, day__range=(first, last))
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    return rows.delete()[0]


def held_rows() -> QuerySet[SpendDay]:
    """Return rows without an amount in the reporting currency in force."""
    into = revenue_settings.currency_in_force()
    return SpendDay.objects.filter(Q(reported=None) | ~Q(into=into))


def convertible(*, now: datetime) -> list[SpendDay]:
    """Return held rows for which there is a rate by now, as they would be after conversion."""
    into = revenue_settings.currency_in_force()
    rates, rows = Rates(into), []
    for row in held_rows().order_by("day", "pk"):
        row.updated_at = now
        _convert(row, into, rates, None)
        if row.reported is not None:
            rows.append(row)
    return rows


@transaction.atomic
def convert_held(*, now: datetime) -> list[SpendDay]:
    """Convert these rows, and return them; never done unasked (P96)."""
    rows = convertible(now=now)
    _write(rows)
    return rows


def _write(rows: list[SpendDay]) -> None:
    SpendDay.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=_VALUES,
    )


def _days(lines: Iterable[SpendLine]) -> Iterator[tuple[SpendLine, date, int]]:
    for line in lines:
        for day, amount in per_day(line.amount, line.first, line.last).items():
            yield line, day, amount


def _stored(lines: Sequence[SpendLine]) -> dict[tuple[str, str, date], SpendDay]:
    if not lines:
        return {}
    rows = SpendDay.objects.filter(
        channel__in={line.channel for line in lines},
        day__gte=min(line.first for line in lines),
        day__lte=max(line.last for line in lines),
    )
    return {(row.channel, row.campaign, row.day): row for row in rows}


def _convert(row: SpendDay, into: str, rates: Rates, before: SpendDay | None) -> None:
    """Set the reporting currency, the rate and the reported amount; None without a rate."""
    row.into, row.fx_rate, row.reported = into, None, None
    if row.currency == into:
        row.reported = row.amount
        return
    if before and (before.currency, before.into) == (row.currency, into):
        row.fx_rate = before.fx_rate
    if row.fx_rate is None and (rate := rates.on(row.currency, row.day.toordinal())):
        row.fx_rate = Decimal(rate.numerator) / Decimal(rate.denominator)
    if row.fx_rate is not None:
        rate = Fraction(row.fx_rate)
        row.reported = converted(row.amount, rate, source=row.currency, target=into)


def _sort_in(changes: Changes, row: SpendDay, before: SpendDay | None) -> None:
    if before is None:
        changes.added.append(row)
    elif (before.amount, before.currency, before.is_demo) != (
        row.amount,
        row.currency,
        row.is_demo,
    ):
        changes.replaced.append(Replaced(before, row))
    elif (before.into, before.reported) != (row.into, row.reported):
        changes.converted.append(row)
    else:
        changes.unchanged += 1

"""What a person pays for, and in which periods: read leniently, as access must not wait."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.calculations.stripe_partial import (
    items_in,
    moment_in,
    number_in,
    object_in,
    period_in,
    price_in,
    text_in,
)

_LENGTHS: Mapping[str | None, timedelta] = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
_MONTHS: Mapping[str | None, int] = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingPeriod:
    """The period that Stripe names, from `start`, before `end`, and the rule of the others.

    Periods of months begin on `anchor_day`, or on the last day of a shorter month, in UTC.
    """

    start: datetime
    end: datetime
    months: int = 0  # 0: all periods are of equal `length`
    length: timedelta
    anchor_day: int

    def around(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the period that contains `now`, which may be before the renewal arrives."""
        if not self.months:
            offset = (now - self.start) // self.length * self.length
            return self.start + offset, self.start + offset + self.length
        start, end = self.start, self.end
        while end <= now:
            start, end = end, self._moved(end, self.months)
        while now < start:
            start, end = self._moved(start, -self.months), start
        return start, end

    def _moved(self, moment: datetime, months: int) -> datetime:
        year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
        day = min(self.anchor_day, monthrange(year, month + 1)[1])
        return moment.replace(year=year, month=month + 1, day=day)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidItem:
    """A price of a subscription with access. Without a usable period, `period` is None."""

    price_id: str
    period: BillingPeriod | None


def price_ids_of(items: Iterable[PaidItem]) -> list[str]:
    """Return the prices, each once."""
    return sorted({item.price_id for item in items})


def paid_items(subscription: Mapping[str, Any]) -> list[PaidItem]:
    """Return what a subscription buys, in any format of Stripe's JSON since 2017."""
    rows = [(row, price_in(row)) for row in items_in(subscription) or [subscription]]
    return [
        PaidItem(price_id=price_id, period=_period(subscription, row, price))
        for row, price in rows
        if (price_id := text_in(price, "id"))
    ]


def _period(
    subscription: Mapping[str, Any], row: Mapping[str, Any], price: Mapping[str, Any]
) -> BillingPeriod | None:
    start, end = period_in(subscription, row)
    if start is None or end is None or start >= end:
        return None
    recurring = object_in(price, "recurring") or price
    interval = text_in(recurring, "interval")
    count = max(1, number_in(recurring, "interval_count") or 1)
    return BillingPeriod(
        start=start,
        end=end,
        months=_MONTHS.get(interval, 0) * count,
        length=_LENGTHS[interval] * count if interval in _LENGTHS else end - start,
        anchor_day=_anchor_day(subscription) or max(start.day, end.day),
    )


def _anchor_day(subscription: Mapping[str, Any]) -> int | None:
    """Return the day of the month on which periods begin, as configured or since the first."""
    configured = number_in(object_in(subscription, "billing_cycle_anchor_config"), "day_of_month")
    anchor = moment_in(subscription, "billing_cycle_anchor")
    return configured or (anchor.day if anchor else None)

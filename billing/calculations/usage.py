"""A person's usage against a limit, and the periods in which it is counted."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.calculations.billing_period import BillingPeriod
from billing.calculations.plan import Limit, Meter, MeterPeriod, PlanTerms, Window
from common.calculations.calendar import month_after, month_before

WARNING, REACHED = 80, 100  # percent of a limit

# No event is older, so a lifetime starts here.
BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)


class UsageState(StrEnum):
    """How close a limit is; `blocked`: nothing more is allowed."""

    OK = "ok"
    WARNING = "warning"
    REACHED = "reached"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a person used of a meter in a period, and what is reserved."""

    used: Decimal
    ignored: int = 0  # events whose property is not a positive number
    claimed: int = 0  # events that do not count, because the person has proved ones
    reserved: Decimal = Decimal(0)
    notified: int = 0  # the highest percentage the person was notified of in this period and plan

    @property
    def taken(self) -> Decimal:
        return self.used + self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterUsage:
    """A person's usage of a meter against the limit in force; None: no limit."""

    meter: Meter
    plan: PlanTerms
    limit: Limit | None
    window: Window
    usage: Usage

    @property
    def percent(self) -> float | None:
        """Used and reserved, in percent of the limit; a limit of 0 is always reached."""
        if self.limit is None:
            return None
        return percent(self.usage.taken, self.limit.amount)

    @property
    def rate(self) -> float | None:
        """`percent` as a share of 1."""
        return None if self.percent is None else self.percent / 100

    @property
    def remaining(self) -> Decimal | None:
        """What a hard limit, including grace, still allows; None: nothing blocks."""
        if self.limit is None or self.limit.ceiling is None:
            return None
        return max(Decimal(0), self.limit.ceiling - self.usage.taken)

    @property
    def state(self) -> UsageState:
        if self.percent is None or self.percent < WARNING:
            return UsageState.OK
        if not self.allows(1):
            return UsageState.BLOCKED
        return UsageState.REACHED if self.percent >= REACHED else UsageState.WARNING

    @property
    def crossed(self) -> int:
        """The highest threshold passed, of which the person is notified; 0 for none."""
        if self.limit is None or not self.limit.amount:
            return 0
        used = percent(self.usage.used, self.limit.amount)
        return next((threshold for threshold in (REACHED, WARNING) if used >= threshold), 0)

    def allows(self, amount: int) -> bool:
        """Whether `amount` more may be used."""
        return self.limit is None or self.limit.allows(self.usage.taken + amount)


def percent(used: Decimal, limit: int) -> float:
    return float(100 * used / limit) if limit else 100.0


def outstanding(used: Decimal, *, amounts: Decimal, up_to: Decimal | None) -> Decimal:
    """Return what open reservations still hold back.

    A reservation allows usage `up_to` a number. Any usage from then on settles it, whichever event
    comes first, so that nothing counts twice; usage added by a merge settles it, too.
    `amounts` is the sum of the open ones, the most that can be outstanding.
    """
    if up_to is None:
        return Decimal(0)
    return max(Decimal(0), min(amounts, up_to - used))


def window(
    period: MeterPeriod, *, now: datetime, zone: ZoneInfo, billing: BillingPeriod | None
) -> Window:
    """Return the period that contains `now`. Without a paid plan a billing period is a month."""
    if period is MeterPeriod.LIFETIME:
        return Window(BEGINNING, None)
    if period is MeterPeriod.BILLING and billing is not None:
        return Window(*billing.around(now))
    return _month(now, zone)


def _month(now: datetime, zone: ZoneInfo) -> Window:
    """Return the calendar month of a moment."""
    day = now.astimezone(zone).date().replace(day=1)
    return Window(_midnight(day, zone), _midnight(month_after(day), zone))


def previous_month(now: datetime, zone: ZoneInfo) -> Window:
    """Return the last calendar month that is over."""
    day = now.astimezone(zone).date().replace(day=1)
    return Window(_midnight(month_before(day), zone), _midnight(day, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)

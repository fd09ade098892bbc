"""How a person's usage stands against a limit, and the periods in which it is counted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.calculations.plan import Limit, Meter, Period, PlanTerms, Window

WARNING, REACHED = 80, 100  # percent of a limit

# No event is older, so a lifetime begins here.
BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """How near a limit is; `blocked` where nothing more is allowed."""

    OK = "ok"
    WARNING = "warning"
    REACHED = "reached"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a person used of a meter in a period, and what is reserved for what comes."""

    used: Decimal
    ignored: int = 0  # events whose property is no amount
    reserved: Decimal = Decimal(0)
    notified: int = 0  # the highest percentage the person was notified of in this period and plan

    @property
    def taken(self) -> Decimal:
        return self.used + self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A person's usage of a meter against the limit in force; None is no limit."""

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
    def remaining(self) -> Decimal | None:
        """What a hard limit, its grace included, still allows; None where nothing blocks."""
        if self.limit is None or self.limit.ceiling is None:
            return None
        return max(Decimal(0), self.limit.ceiling - self.usage.taken)

    @property
    def state(self) -> State:
        if self.percent is None or self.percent < WARNING:
            return State.OK
        if not self.allows(1):
            return State.BLOCKED
        return State.REACHED if self.percent >= REACHED else State.WARNING

    @property
    def crossed(self) -> int:
        """The highest threshold that is used up and that a person is told of; 0 for none."""
        if self.limit is None or not self.limit.amount:
            return 0
        used = percent(self.usage.used, self.limit.amount)
        return next((threshold for threshold in (REACHED, WARNING) if used >= threshold), 0)

    def allows(self, amount: int) -> bool:
        """Whether `amount` more may be used."""
        return self.limit is None or self.limit.holds(self.usage.taken + amount)


def percent(used: Decimal, limit: int) -> float:
    return float(100 * used / limit) if limit else 100.0


def outstanding(used: Decimal, *, amounts: Decimal, up_to: Decimal | None) -> Decimal:
    """Return what open reservations still hold back.

    A reservation allows usage `up_to` a number. What is used from then on, whichever event comes
    first, settles it, so that nothing counts twice; what a merge adds counts as such, too.
    `amounts` is the sum of the open ones, the most that can be outstanding.
    """
    if up_to is None:
        return Decimal(0)
    return max(Decimal(0), min(amounts, up_to - used))


def window(
    period: Period, *, now: datetime, zone: ZoneInfo, billing: tuple[datetime, datetime] | None
) -> Window:
    """Return the period that `now` is in. Without a subscription a billing period is a month.

    One that is over, because its renewal is not known yet, is followed by one of the same length.
    """
    if period is Period.LIFETIME:
        return Window(BEGINNING, None)
    if period is Period.BILLING and billing is not None and billing[0] <= now:
        start, end = billing
        length = end - start
        over = (now - start) // length  # periods since, 0 where it is not over
        return Window(start + over * length, end + over * length)
    return _month(now, zone)


def _month(now: datetime, zone: ZoneInfo) -> Window:
    """Return the calendar month of a moment."""
    local = now.astimezone(zone)
    start = datetime(local.year, local.month, 1, tzinfo=zone)
    following = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
    return Window(start, following)


def previous_month(now: datetime, zone: ZoneInfo) -> Window:
    """Return the last calendar month that is over."""
    start = _month(now, zone).start
    year, month = (start.year, start.month - 1) if start.month > 1 else (start.year - 1, 12)
    return Window(datetime(year, month, 1, tzinfo=zone), start)

"""Calendar days, ISO weeks and months as proleptic ordinals (``date.toordinal``)."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

QUARTER = 900  # seconds; every zone's offset and transition falls on a quarter of an hour


class LocalCalendar:
    """Converts moments to calendar days of a time zone, caching each quarter of an hour."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self._days: dict[int, int] = {}

    def day(self, moment: datetime) -> int:
        """Return the ordinal of the local calendar day of an aware `moment`."""
        return self.day_at(moment.timestamp())

    def day_at(self, seconds: float) -> int:
        """Return the ordinal of the local calendar day of a Unix time."""
        quarter = int(seconds // QUARTER)
        day = self._days.get(quarter)
        if day is None:
            start = datetime.fromtimestamp(quarter * QUARTER, UTC)
            day = self._days[quarter] = start.astimezone(self.zone).toordinal()
        return day

    def local_date(self, moment: datetime) -> date:
        """Return the local calendar day of an aware `moment`."""
        return moment.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the moment at which the local calendar `day` begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def span(self, first: date | None, last: date | None) -> tuple[datetime, datetime]:
        """Return the moments where local days start and end (not included); None is open."""
        start = self.midnight(first) if first else datetime.min.replace(tzinfo=UTC)
        if last is None:
            return start, datetime.max.replace(tzinfo=UTC)
        return start, self.midnight(last + timedelta(days=1))

    def last_complete_day(self, now: datetime) -> date:
        """Return L: the last local calendar day that is over at the aware moment `now`."""
        return self.local_date(now) - timedelta(days=1)


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def week_start(day: int) -> int:
    """Return the ordinal of the Monday of the day's ISO week (ordinal 1 is a Monday)."""
    return day - (day - 1) % 7


@lru_cache(maxsize=65_536)
def month_start(day: int) -> int:
    """Return the ordinal of the first day of the day's month."""
    return date.fromordinal(day).replace(day=1).toordinal()


def next_month(month: int) -> int:
    """Return the ordinal of the first day of the month after the one that starts on `month`."""
    return month_start(month + 31)


def previous_month(month: int) -> int:
    """Return the ordinal of the first day of the month before the one that starts on `month`."""
    return month_start(month - 1)


def month_after(day: date) -> date:
    """Return the first day of the next month."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def month_before(day: date) -> date:
    """Return the first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return month_after(day) - timedelta(days=1)

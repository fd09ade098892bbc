"""Lines of spend: of a form, a request or a CSV file. Amounts are minor units."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.calculations.currency import DECIMALS
from common.formatting import counted, full_day
from growth.calculations.spend.channels import LONGEST_CHANNEL, normalized
from growth.calculations.spend.prorating import days_of

LONGEST_CAMPAIGN = 200
LONGEST_RANGE = 366  # days
MOST_DAYS = 50_000  # in one import
LARGEST_AMOUNT = 10**15
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
_AMOUNT = re.compile(r"\d{1,15}(\.\d{1,3})?")


class SpendLineError(ValueError):
    """Why a line cannot be used; the text names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLine:
    """What was spent on a channel and campaign from the `first` to the `last` day."""

    channel: str
    first: date
    last: date
    amount: int
    currency: str
    campaign: str = ""
    number: int = 0  # of the line in its file or request

    def __post_init__(self) -> None:
        for is_fine, problem in self._rules():
            if not is_fine:
                raise SpendLineError(problem)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        """Yield whether each rule holds, and what is wrong where it does not."""
        length, names = len(self.channel), self.channel + self.campaign
        yield (
            1 <= length <= LONGEST_CHANNEL,
            f"channel: must have 1 to {LONGEST_CHANNEL} characters",
        )
        yield (
            len(self.campaign) <= LONGEST_CAMPAIGN,
            f"campaign: must have at most {LONGEST_CAMPAIGN} characters",
        )
        yield "\0" not in names, "channel: must not hold NUL characters, nor must the campaign"
        yield (
            EARLIEST <= self.first <= self.last < LATEST,
            f"days: must be in order, from {EARLIEST} to before {LATEST}",
        )
        yield (
            (self.last - self.first).days < LONGEST_RANGE,
            f"days: must be at most {LONGEST_RANGE} days",
        )
        yield (
            self.currency in DECIMALS,
            f"currency: “{self.currency[:40]}” is not supported, write it as usd",
        )
        yield (
            0 <= self.amount <= LARGEST_AMOUNT,
            f"amount: must be 0 to {LARGEST_AMOUNT} minor units",
        )


def minor_units(text: str, currency: str) -> int:
    """Return an amount such as 1234.50 in minor units; raise SpendLineError for -1 or 1,5.

    More decimals than the currency has are refused: they cannot be kept exactly.
    """
    if not _AMOUNT.fullmatch(text.strip()):
        raise SpendLineError(f"amount: “{text[:40]}” must be a number such as 1234.50, at least 0")
    if currency not in DECIMALS:
        raise SpendLineError(f"currency: “{currency[:40]}” is not supported, write it as usd")
    amount = Decimal(text.strip()).scaleb(DECIMALS[currency])
    if amount != int(amount):
        raise SpendLineError(f"amount: {currency.upper()} has {DECIMALS[currency]} decimals")
    return int(amount)


def line_of(fields: Mapping[str, str], *, number: int, currency: str) -> SpendLine:
    """Return the line in the fields of a CSV row; raise SpendLineError.

    `currency` is that of rows without their own.
    """
    own = (fields.get("currency") or currency).strip().lower()
    first, last = _range(fields)
    return SpendLine(
        number=number,
        channel=normalized(fields.get("channel", "")),
        campaign=fields.get("campaign", "").strip(),
        first=first,
        last=last,
        currency=own,
        amount=minor_units(fields.get("amount", ""), own),
    )


def overlaps(lines: Iterable[SpendLine]) -> dict[int, str]:
    """Return what is wrong with lines that repeat a day of an earlier one, by number.

    Their amounts could mean a sum or a correction; the file has to say which.
    """
    taken: dict[tuple[str, str, date], int] = {}
    problems: dict[int, str] = {}
    for line in lines:
        for day in days_of(line.first, line.last):
            key = line.channel, line.campaign, day
            if key in taken and line.number not in problems:
                problems[line.number] = (
                    f"days: {full_day(day)} of this channel and campaign is in line {taken[key]},"
                    " too"
                )
            taken.setdefault(key, line.number)
    return problems


def too_many(lines: Iterable[SpendLine]) -> str:
    """Return why lines are too many for one import, or ""."""
    days = sum((line.last - line.first).days + 1 for line in lines)
    return f"{counted(days, 'day')}: at most {MOST_DAYS:,} at once" if days > MOST_DAYS else ""


def _range(fields: Mapping[str, str]) -> tuple[date, date]:
    day = fields.get("day", "").strip()
    if day and (fields.get("from") or fields.get("to")):
        raise SpendLineError("day: name either a day or a range")
    if day:
        return _day("day", day), _day("day", day)
    return _day("from", fields.get("from", "")), _day("to", fields.get("to", ""))


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise SpendLineError(f"{name}: “{text[:40]}” must be a day such as 2026-03-31") from error

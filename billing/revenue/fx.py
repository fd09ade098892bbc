"""Exchange rates: the rate of a day, and their import. Unknown rates are not guessed."""

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import ValidationError
from django.db import transaction

from billing.models import FxRate

LONGEST_GAP = timedelta(days=7)  # banks publish no rates on weekends and holidays
COLUMNS = ["day", "currency", "into", "rate"]


class Rates:
    """The rates into one currency, read once."""

    def __init__(self, into: str) -> None:
        self._rates: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
        rows = FxRate.objects.filter(into=into).order_by("day")
        for currency, day, rate in rows.values_list("currency", "day", "rate"):
            self._rates[currency].append((day.toordinal(), rate))

    def on(self, currency: str, day: int) -> Fraction | None:
        """Return the newest rate of the 7 days up to a day (an ordinal); None if there is none."""
        rates = self._rates.get(currency, [])
        index = bisect_right(rates, day, key=lambda row: row[0])
        if not index or day - rates[index - 1][0] > LONGEST_GAP.days:
            return None
        return Fraction(rates[index - 1][1])


@transaction.atomic
def import_rates(lines: Iterable[str]) -> int:
    """Store the rates of a CSV file with the columns day, currency, into, rate; all or none.

    Return their number. A rate of the same day is replaced. ValidationError names line and column.
    """
    reader = csv.DictReader(lines)
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise ValidationError(f"Missing column: {', '.join(missing)}.")
    rates = [_rate(number, row) for number, row in enumerate(reader, 2)]
    newest = {(rate.currency, rate.into, rate.day): rate for rate in rates}
    FxRate.objects.bulk_create(
        newest.values(),
        update_conflicts=True,
        unique_fields=["currency", "into", "day"],
        update_fields=["rate"],
    )
    return len(newest)


def _rate(line: int, row: dict[str, str]) -> FxRate:
    try:
        rate = FxRate(
            day=date.fromisoformat(row["day"] or ""),
            currency=(row["currency"] or "").strip().lower(),
            into=(row["into"] or "").strip().lower(),
            rate=row["rate"],
        )
    except ValueError as error:
        raise ValidationError(f"Line {line}, day: {error}.") from error
    try:
        rate.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problems = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
        raise ValidationError(f"Line {line}, {'; '.join(problems)}") from error
    return rate

"""The data-quality checks of spend."""

from datetime import datetime

from django.db.models import Count

from analytics.rollups import definitions
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted, full_day
from growth.calculations.spend.acquisition import day_ranges
from growth.spend import acquisition, recording, spending

MAX_EXAMPLES = 5


class SpendCoverage(Check):
    slug = "spend_coverage"
    name = "Every day has marketing spend entered"
    family = "Missing fields"
    remedy = "Enter what was spent on these days under Growth, Acquisition; 0 if nothing was."

    def run(self, *, now: datetime) -> Finding:
        if not spending.is_recorded():
            return NO_DATA
        last = definitions.last_complete_day(now)
        spent = spending.spending(first=acquisition.window_from(last), last=last)
        if not spent.uncovered:
            return PASSED
        number = len(spent.uncovered)
        examples = [
            Example(full_day(day), "growth:spend-add") for day in spent.uncovered[:MAX_EXAMPLES]
        ]
        detail = f"Without an entry: {counted(number, 'day')}: {day_ranges(spent.uncovered)}."
        return Finding(CheckVerdict.WARNING, number, detail, examples)


class HeldSpend(Check):
    slug = "held_spend"
    name = "Marketing spend without an exchange rate"
    family = "Missing fields"
    remedy = "Add the exchange rates, then convert the spend: manage.py convert_spend."

    def run(self, *, now: datetime) -> Finding:
        held = recording.held_rows().values("currency").annotate(days=Count("pk"))
        currencies = list(held.order_by("currency").values_list("currency", "days"))
        if not currencies:
            return PASSED if spending.is_recorded() else NO_DATA
        number = sum(days for _, days in currencies)
        examples = [
            Example(f"{currency.upper()}: {counted(days, 'day')}", "growth:acquisition")
            for currency, days in currencies[:MAX_EXAMPLES]
        ]
        detail = f"Held: the spend of {counted(number, 'day')} of a campaign."
        return Finding(CheckVerdict.WARNING, number, detail, examples)


CHECKS: tuple[Check, ...] = (SpendCoverage(), HeldSpend())

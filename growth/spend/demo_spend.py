"""The demo company's marketing spend."""

from datetime import datetime, timedelta
from random import Random

from analytics.rollups import definitions
from growth.calculations.spend.lines import SpendLine
from growth.models import SpendDay
from growth.spend import recording
from growth.spend.spending import currency

DAYS = 190  # of the KPI's history, and the 90 days before its first
# The usual spend of a day, in whole units: `analytics.calculations.company` has the channels.
_USUAL = {("paid ads", "search"): 220, ("paid ads", "brand"): 60, ("social", "launch"): 100}


def load(*, until: datetime, seed: int) -> int:
    """Enter the spend of the days up to `until`, and return their number; none if there is any."""
    if SpendDay.objects.exists():
        return 0
    random = Random(seed)  # noqa: S311
    last = definitions.last_complete_day(until)
    lines = [
        SpendLine(
            channel=channel,
            campaign=campaign,
            first=day,
            last=day,
            amount=round(100 * usual * random.uniform(0.6, 1.4)),
            currency=currency(),
        )
        for ago in reversed(range(DAYS))
        for day in [last - timedelta(days=ago)]
        for (channel, campaign), usual in _USUAL.items()
    ]
    return len(recording.save(lines, now=until, is_demo=True).added)


def clear() -> None:
    SpendDay.objects.filter(is_demo=True).delete()

"""The recorded days of a KPI as a chart."""

from collections.abc import Sequence
from datetime import date, timedelta

from common.calculations.line_chart import LineChart, Sample, line_chart
from operational.kpis.readings import Recorded
from operational.models import KpiReading

HISTORY_DAYS = 90


def history_window(as_of: date) -> tuple[date, date]:
    """Return the first and last day that charts show."""
    return as_of - timedelta(days=HISTORY_DAYS - 1), as_of


def history_chart(
    recorded: Sequence[KpiReading | Recorded],
    *,
    target: float,
    as_of: date,
    intervals: bool = False,
) -> LineChart | None:
    """Lay out the recorded values of a KPI, oldest first; None if there are none."""
    first, last = history_window(as_of)
    samples = [
        Sample(
            reading.day,
            reading.value,
            *((reading.low, reading.high) if intervals else (None, None)),
        )
        for reading in recorded
        if reading.value is not None
    ]
    return line_chart(samples, target=target, first=first, last=last)

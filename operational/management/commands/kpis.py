"""Show every KPI and the alignment score."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from analytics.rollups import definitions
from common import formatting
from common.commands import QuickCommand, day
from common.late import late
from operational.calculations.alignment import Contribution
from operational.calculations.kpi import Measurement
from operational.kpis import readings
from operational.kpis.alignment import Alignment, alignment_score
from operational.kpis.kpi_report import alignment_report, kpi_report
from operational.kpis.readings import KpiStatus
from operational.management import hints

as_json = late("common.api.serializers.as_json")  # importing it takes a while
_HEADER = "KPI", "value", "target", "95 % interval", "numbers", "status", "score", "lost"
_LEFT_ALIGNED = {"KPI", "status"}


class Command(QuickCommand):
    help = "Show every KPI as of the end of a day, and the alignment score."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", metavar="DAY", type=day, help="YYYY-MM-DD")
        parser.add_argument("--json", action="store_true", help="the API's response bodies")

    def handle(self, **options: Any) -> None:
        try:
            as_of = definitions.complete_day(options["as_of"])
        except ValidationError as error:
            raise CommandError(f"--as-of: {error.message}") from error
        statuses = readings.read_kpis(as_of=as_of)
        alignment = alignment_score(as_of=as_of, statuses=statuses)
        if options["json"]:
            answers = {
                "alignment_score": as_json(alignment_report(alignment)),
                "kpi_status": as_json(kpi_report(as_of=as_of, statuses=statuses)),
            }
            self.stdout.write(formatting.pretty_json(answers))
        else:
            self.stdout.write("\n".join([*_table(statuses, alignment), "", _summary(alignment)]))
        if all(status.measurement.value is None for status in statuses):
            self.stderr.write(hints.NO_DATA)


def _table(statuses: Sequence[KpiStatus], alignment: Alignment) -> list[str]:
    """Return the aligned rows, then why some of them do not count."""
    pairs = zip(statuses, alignment.contributions, strict=True)
    rows = [_HEADER, *(_row(status, contribution) for status, contribution in pairs)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if name in _LEFT_ALIGNED else cell.rjust(width)
            for name, cell, width in zip(_HEADER, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    reasons = [
        f"{status.kpi.name}: {status.measurement.reason}"
        for status in statuses
        if status.measurement.reason
    ]
    return [*lines, "", *reasons] if reasons else lines


def _row(status: KpiStatus, contribution: Contribution) -> tuple[str, ...]:
    unit, measurement, interval = status.kpi.unit, status.measurement, status.measurement.interval
    return (
        status.kpi.name,
        formatting.figure(measurement.value, unit),
        formatting.figure(status.goal.target, unit),
        formatting.interval(interval, unit),
        _numbers(measurement),
        measurement.status,
        formatting.points(status.score),
        formatting.points(contribution.points_lost),
    )


def _numbers(measurement: Measurement) -> str:
    if measurement.value is None:
        return formatting.UNKNOWN
    numerator, denominator = measurement.numerator, measurement.denominator
    return f"{formatting.number(numerator)} / {formatting.number(denominator)}"


def _summary(alignment: Alignment) -> str:
    score = formatting.points(alignment.score)
    provisional = ", provisional" if alignment.provisional else ""
    return (
        f"Alignment score {score}: {alignment.band}{provisional},"
        f" coverage {formatting.percent(alignment.coverage, 0)}, as of {alignment.as_of}"
    )

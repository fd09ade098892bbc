"""What every report contains: its page, mail, JSON and API schema all come from these types.

Days are in the time zone in force. A None is unknown, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from common.calculations.health import Health
from common.calculations.statistics import Status
from common.data_quality import CheckVerdict
from common.formatting import Unit
from operational.calculations.alignment import Band
from operational.calculations.kpi import Severity
from operational.models import ReportKind

# The texts are the fields' descriptions in the API schema.
Share = Annotated[float, "A share, 0 to 1"]
Points = Annotated[float, "Points of the alignment score, 0 to 100"]
KpiValue = Annotated[float, "In the KPI's unit; rates and changes as fractions"]
MinorUnits = Annotated[int, "In minor units of the currency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTrend:
    """The score some days ago, over the KPIs that count then and now."""

    days_ago: int
    day: date
    then: Points | None
    change: Annotated[float, "The score now less the score then"] | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScore:
    """The alignment score."""

    score: Points | None
    band: Band
    coverage: Annotated[float, "Share of the weight that counts, 0 to 1"]
    provisional: bool
    trend: tuple[ReportTrend, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInterval:
    """The 95 % confidence interval of a rate."""

    low: Share
    high: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKpi:
    """A KPI against its goal and against its value a week before."""

    kpi: str
    name: str
    unit: Unit
    status: Status
    reason: Annotated[str, "Why the status is not ok, else empty"]
    value: KpiValue | None
    interval: ReportInterval | None
    target: KpiValue
    attainment: Annotated[float, "1.0 is the target; uncapped"] | None
    severity: Severity | None
    points_lost: Points | None
    week_before: KpiValue | None
    change: Annotated[float, "The value less that of the week before, if both count"] | None
    history: Annotated[tuple[float, ...], "Of up to 30 days that count, oldest first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKpi:
    """A KPI that does not count, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRealTime:
    """Product and billing in the last hours."""

    active_persons_1h: int
    active_persons_24h: int
    events_per_minute: int
    workflows_created_24h: int
    suggestions_applied_24h: int
    subscriptions_created_24h: int
    revenue_24h: Annotated[Mapping[str, MinorUnits], "Paid less refunded, by currency"]
    behind_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProblem:
    """A component that is unhealthy."""

    name: str
    health: Health
    detail: str
    since: datetime | None
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHealth:
    """The health of the system."""

    health: Health
    problems: tuple[ReportProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAlert:
    """An active alert."""

    kind: str
    subject: str
    name: str
    severity: Severity
    since: datetime | None
    detail: str
    acknowledged: bool
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAction:
    """A priority action; in the daily report the top ones only."""

    id: int
    title: str
    detail: str
    severity: Severity
    points: Annotated[float, "Recoverable points of the alignment score"]
    people: int | None
    owner: Annotated[str, "A user name"] | None
    due: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """A data-quality check that did not pass."""

    check: str
    name: str
    verdict: CheckVerdict
    affected: int
    detail: str
    ignored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuality:
    """The last run of the data-quality checks."""

    at: datetime | None
    score: Annotated[int, "0 to 100"] | None
    band: str
    findings: tuple[ReportFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport:
    """A daily report: score, KPIs, real time, health, alerts, actions and data quality."""

    kind: ReportKind
    period_from: date
    day: Annotated[date, "The last day of the period"]
    time_zone: str
    made_at: datetime
    has_demo: Annotated[bool, "The numbers are those of a made-up company"]
    alignment: ReportScore
    kpis: tuple[ReportKpi, ...]
    unknown: tuple[UnknownKpi, ...]
    real_time: ReportRealTime
    health: ReportHealth
    alerts: tuple[ReportAlert, ...]
    actions: tuple[ReportAction, ...]
    data_quality: ReportQuality

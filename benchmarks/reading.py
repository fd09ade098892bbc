"""Reading every activity KPI from the roll-ups, compared with the same over raw events.

Raw events are asked in PostgreSQL itself, in DuckDB and in ClickHouse's engine.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from analytics.insights import active_users, retention
from analytics.insights.activation import activation_counts
from analytics.insights.retention import CohortKind
from analytics.rollups import counters, definitions
from benchmarks import columnar, dataset, raw_sql
from benchmarks.dataset import LAST_DAY
from common.read_once import reading_together
from operational.kpis import sources

SIZES = ((1_000_000, 20_000), (10_000_000, 200_000))  # events, persons
ROUNDS, RAW_ROUNDS = 10, 3
END = LAST_DAY + timedelta(days=1)
MONTH = LAST_DAY.replace(day=1)
MONTH_BEFORE = (MONTH - timedelta(days=1)).replace(day=1)
WEEKS = 12
FIRST_WEEK = END - timedelta(days=END.weekday(), weeks=WEEKS + 1)


def run(scale: float) -> None:
    sizes = {f"bench_{events}": (int(events * scale), persons) for events, persons in SIZES}
    for name, (events, persons) in sizes.items():
        print(f"Making {events:,} events of {int(persons * scale):,} persons ...", flush=True)
        dataset.use_database(name)
        dataset.fill(events=events, persons=int(persons * scale))
    seconds: dict[str, list[float]] = {name: [] for name in sizes}
    for _ in range(ROUNDS):  # in turn, so that both sizes share the machine's state
        for name in sizes:
            dataset.use_database(name)
            from_rollups()  # warms up the connection
            seconds[name] += [_seconds(from_rollups) for _ in range(10)]
    for name, (events, _) in sizes.items():
        dataset.use_database(name)
        print(f"  {events:,} events: roll-ups {1e3 * median(seconds[name]):.2f} ms")
        _compare(median(seconds[name]))
    small, large = (median(seconds[name]) for name in sizes)
    print("  at least, with 10 M events: PostgreSQL 100 times, ClickHouse's engine 300 times")
    print(f"  cost at the larger size over the smaller: {large / small:.2f} (at most 1.5)")


def _compare(cost: float) -> None:
    """Compare the seconds that the roll-ups took with those of others, whose answers are equal."""
    ignored, answers = sorted(definitions.in_force().ignored_events), from_rollups()
    with columnar.engines() as engines:
        kpis: dict[str, raw_sql.Kpis | columnar.Kpis] = {"PostgreSQL": raw_sql.Kpis(ignored, END)}
        kpis |= {name: columnar.Kpis(query, ignored, END) for name, query in engines.items()}
        for name, raw in kpis.items():
            raw_answers = from_raw_events(raw)  # warms up
            assert answers == raw_answers, (name, answers, raw_answers)
            seconds = median(_seconds(partial(from_raw_events, raw)) for _ in range(RAW_ROUNDS))
            print(f"    {name}, raw events: {seconds:.2f} s, {seconds / cost:,.0f} times")
    if columnar.chdb is None:
        print("    ClickHouse's engine: missing, it has no wheel for this platform")


@reading_together()
def from_rollups() -> dict[str, Any]:
    def cohort(day: int) -> tuple[int, int]:
        last = LAST_DAY - timedelta(days=day)
        (cohort_retention,) = retention.day_retention(
            cohort=CohortKind.SIGNUP,
            days=[day],
            cohorts_from=last - timedelta(days=29),
            cohorts_to=last,
            as_of=LAST_DAY,
        )
        return cohort_retention.eligible, cohort_retention.retained

    def activated(age: int) -> Any:
        last = LAST_DAY - timedelta(days=age)
        return activation_counts(signups_from=last - timedelta(days=29), signups_to=last)

    counters.read(_spans())
    week, day = activated(7), activated(1)
    (today,) = active_users.active_days(first=LAST_DAY, last=LAST_DAY, as_of=LAST_DAY)
    return {
        "d7_retention": cohort(7),
        "d30_retention": cohort(30),
        "activation_rate": (week.signups, week.activated),
        "signup_activation": (day.signups, day.activated_quickly),
        "growth": tuple(map(active_users.monthly_active, (MONTH, MONTH_BEFORE))),
        "dau_wau_mau": (today.active, today.trailing_7, today.trailing_30),
        "weekly": _retained_weeks(),
    }


def _spans() -> list[counters.Span]:
    """Return what the KPIs, the weekly matrix and the active users read."""
    return [
        *sources.spans(as_of=LAST_DAY),
        *active_users.day_spans(LAST_DAY, LAST_DAY),
        *retention.week_spans(CohortKind.SIGNUP, WEEKS, FIRST_WEEK, date.max, as_of=LAST_DAY),
    ]


def _retained_weeks() -> list[tuple[date, int, int]]:
    matrix = retention.weekly_retention(
        cohort=CohortKind.SIGNUP,
        weeks=WEEKS,
        cohorts_from=FIRST_WEEK,
        cohorts_to=None,
        as_of=LAST_DAY,
    )
    return [
        (row.week, cell.week, cell.retained)
        for row in matrix
        for cell in row.weeks
        if cell.retained
    ]


def from_raw_events(kpis: raw_sql.Kpis | columnar.Kpis) -> dict[str, Any]:
    def active(days: int) -> int:
        return kpis.active(END - timedelta(days=days), END)

    return {
        "d7_retention": kpis.retention(7),
        "d30_retention": kpis.retention(30),
        "activation_rate": kpis.activation(age=7, hours=7 * 24),
        "signup_activation": kpis.activation(age=1, hours=24),
        "growth": (kpis.active(MONTH, END), kpis.active(MONTH_BEFORE, MONTH)),
        "dau_wau_mau": (active(1), active(7), active(30)),
        "weekly": [
            (week, number, persons)
            for week, number, persons in kpis.weekly(FIRST_WEEK)
            if week + timedelta(days=7 * number + 6) <= LAST_DAY
        ],
    }


def _seconds(work: Callable[[], Any]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start

"""Reading every activity KPI from the roll-ups, compared with the same over raw events."""

from collections.abc import Callable
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

from analytics.insights import active_users, retention
from analytics.insights.activation import activation_counts
from analytics.insights.retention import CohortKind
from analytics.rollups import definitions
from benchmarks import dataset, raw_sql
from benchmarks.dataset import LAST_DAY

SIZES = ((1_000_000, 20_000), (10_000_000, 200_000))  # events, persons
ROUNDS = 10
END = LAST_DAY + timedelta(days=1)
MONTH = LAST_DAY.replace(day=1)
MONTH_BEFORE = (MONTH - timedelta(days=1)).replace(day=1)
FIRST_WEEK = END - timedelta(days=END.weekday(), weeks=13)


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
        answers, raw_answers = from_rollups(), from_raw_events()
        assert answers == raw_answers, (answers, raw_answers)
        cost, raw = median(seconds[name]), _seconds(from_raw_events)
        print(f"  {events:,} events: roll-ups {1e3 * cost:.2f} ms, raw events {raw:.2f} s")
        print(f"    ratio {raw / cost:,.0f} (at least 100 at 10 M); the answers are equal")
    small, large = (median(seconds[name]) for name in sizes)
    print(f"  cost at the larger size over the smaller: {large / small:.2f} (at most 1.5)")


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

    week, day = activated(7), activated(1)
    (today,) = active_users.active_days(first=LAST_DAY, last=LAST_DAY, as_of=LAST_DAY)
    matrix = retention.weekly_retention(
        cohort=CohortKind.SIGNUP, weeks=12, cohorts_from=FIRST_WEEK, cohorts_to=None, as_of=LAST_DAY
    )
    return {
        "d7_retention": cohort(7),
        "d30_retention": cohort(30),
        "activation_rate": (week.signups, week.activated),
        "signup_activation": (day.signups, day.activated_quickly),
        "growth": tuple(map(active_users.monthly_active, (MONTH, MONTH_BEFORE))),
        "dau_wau_mau": (today.active, today.trailing_7, today.trailing_30),
        "weekly": [
            (row.week, cell.week, cell.retained)
            for row in matrix
            for cell in row.weeks
            if cell.retained
        ],
    }


def from_raw_events() -> dict[str, Any]:
    ignored = sorted(definitions.in_force().ignored_events)

    def active(days: int) -> int:
        return raw_sql.active(ignored, END - timedelta(days=days), END)

    return {
        "d7_retention": raw_sql.retention(ignored, END, 7),
        "d30_retention": raw_sql.retention(ignored, END, 30),
        "activation_rate": raw_sql.activation(END, age=7, within="7 days"),
        "signup_activation": raw_sql.activation(END, age=1, within="24 hours"),
        "growth": (
            raw_sql.active(ignored, MONTH, END),
            raw_sql.active(ignored, MONTH_BEFORE, MONTH),
        ),
        "dau_wau_mau": (active(1), active(7), active(30)),
        "weekly": [
            (week, number, persons)
            for week, number, persons in raw_sql.weekly(ignored, FIRST_WEEK)
            if week + timedelta(days=7 * number + 6) <= LAST_DAY
        ],
    }


def _seconds(work: Callable[[], Any]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start

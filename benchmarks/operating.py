"""The pages and API read most, with 10 M events, 200 k persons and 20 k customers.

Every KPI has a value: customers come, change and leave until the last day, marketing spend is
entered for each day, and people bring others.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from http.client import HTTPConnection
from statistics import median
from time import perf_counter

import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from benchmarks import dataset, ledger, referrals, servers
from benchmarks.dataset import LAST_DAY
from billing.revenue import ledger as revenue_ledger
from config.beat_schedule import create_missing_entries
from growth.spend import demo_spend
from operational.access import tokens
from operational.access.scopes import SCOPES
from operational.actions import priority_actions
from operational.alerting import health_alerts, kpi_alerts
from operational.kpis import readings
from operational.models import KpiReading, ReportKind
from operational.quality import data_quality
from operational.reports import making

EVENTS, PERSONS, CUSTOMERS = 10_000_000, 200_000, 20_000
NOW = datetime.combine(LAST_DAY + timedelta(days=1), time(9), UTC)
# Most milliseconds, by name: in this process, from the request to the rendered answer.
ENDPOINTS = {"real-time-metrics": 25, "kpi-status": 10, "alignment-score": 25, "system-health": 25}
ROUNDS = 30


def run(scale: float) -> None:
    events, persons = int(EVENTS * scale), int(PERSONS * scale)
    dataset.use_database("bench_operating")
    dataset.fill(events=events, persons=persons)
    with time_machine.travel(NOW, tick=True):
        _operate(int(CUSTOMERS * scale))
        _read()


def _operate(customers: int) -> None:
    """Run a day's jobs."""
    ledger.store(customers, until=datetime.combine(LAST_DAY + timedelta(days=1), time(), UTC))
    revenue_ledger.rebuild(now=NOW)
    demo_spend.load(until=NOW, seed=1)
    referrals.fill()
    create_missing_entries()
    if not KpiReading.objects.exists():
        days = [LAST_DAY - timedelta(days=ago) for ago in range(90)]
        readings.record_readings(days=days, now=NOW)
    start = perf_counter()
    run = data_quality.run(now=NOW)
    print(f"  every data-quality check: {perf_counter() - start:.1f} s, score {run.score}")
    for result in run.results.order_by("-seconds")[:3]:
        print(f"    {result.check_slug}: {result.seconds:.2f} s")
    kpi_alerts.check(now=NOW)
    health_alerts.check(now=NOW)
    priority_actions.refresh(now=NOW)


def _read() -> None:
    staff, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    api, admin = APIClient(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    api.force_authenticate(staff)
    admin.force_login(staff)
    for name, most in ENDPOINTS.items():
        cost, queries = _cost(lambda name=name: _page(api, f"/api/operational/{name}"))
        print(f"  {name}: {1e3 * cost:.1f} ms (at most {most}), {queries} queries (at most 15)")
    print(f"  kpi-status over HTTP: {1e3 * _over_http(staff):.1f} ms")
    pages = ["/admin/operational/alertchannel/", "/admin/password_change/"]  # an empty list, a form
    pages += ["/admin/operational/", "/admin/operational/now/"]
    costs = {path: _cost(lambda path=path: _page(admin, path)) for path in pages}
    (empty, _), (form, _), *_ = costs.values()
    for path, (cost, queries) in costs.items():
        print(f"  {path}: {1e3 * cost:.1f} ms, {queries} queries")
        print(f"    {cost / empty:.1f} times an empty list (at most 3), {cost / form:.1f} a form")
    cost, queries = _cost(lambda: making.make(ReportKind.DAILY, now=NOW), rounds=5)
    print(f"  the daily report: {1e3 * cost:.0f} ms, {queries} queries (at most 40)")


def _over_http(staff: User) -> float:
    """Return the median seconds of kpi-status with a token, on one connection to a web process."""
    _, token = tokens.create(staff, name="bench", scopes=SCOPES, expires_in=None)
    headers = {"Authorization": f"Bearer {token}"}

    def ask() -> None:
        http.request("GET", f"/api/operational/kpi-status?as_of={LAST_DAY}", headers=headers)
        response = http.getresponse()
        assert (response.status, bool(response.read())) == (200, True)

    with servers.web("config.wsgi:application", connection.settings_dict["NAME"]) as port:
        http = HTTPConnection("127.0.0.1", port)
        return _cost(ask)[0]


def _page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200, path


def _cost(ask: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, int]:
    """Return the median seconds and the number of queries."""
    ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    number = len(queries)
    assert not [query["sql"] for query in queries if '"analytics_event"' in query["sql"]]
    seconds = []
    for _ in range(rounds):
        start = perf_counter()
        ask()
        seconds.append(perf_counter() - start)
    return median(seconds), number

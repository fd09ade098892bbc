"""Events a second from HTTP into committed roll-ups, against the designs people write first."""

import os
import subprocess
import sys
from concurrent.futures import Executor
from statistics import median
from time import perf_counter, sleep

from django.db import connection

from benchmarks import dataset, load, servers, traffic

EVENTS = 200_000  # of one measurement
CREATED, BULK_CREATED = 4_000, 40_000  # as many as take about as long
ROUNDS = 5
OURS, FIRST_DESIGN = "bench_end_to_end", "bench_first_design"


def run(scale: float) -> None:
    print(f"Making {traffic.PERSONS:,} persons ...", flush=True)
    token = traffic.fill_database(OURS)
    _make_first_design()
    rounds: list[tuple[float, float, float]] = []
    with (
        servers.web("config.wsgi:application", OURS) as ours,
        servers.ingest(OURS),
        servers.ingest(OURS),
        servers.web("benchmarks.first_design.wsgi:application", FIRST_DESIGN) as first_design,
        load.generator() as generator,
    ):
        for turn in range(ROUNDS + 1):  # in turn, so that all see the same machine
            sent = traffic.events(int(EVENTS * scale), seed=turn)
            bodies = list(traffic.bodies(sent, token))
            _empty_first_design()
            rounds.append(
                (
                    _into_rollups(generator, ours, bodies),
                    _stored(generator, first_design, "/create/", bodies, int(CREATED * scale)),
                    _stored(
                        generator, first_design, "/bulk_create/", bodies, int(BULK_CREATED * scale)
                    ),
                )
            )
    _report(rounds[1:])  # the first warms everything


def _report(rounds: list[tuple[float, float, float]]) -> None:
    ours, create, bulk_create = (median(rates) for rates in zip(*rounds, strict=True))
    print(f"  Plumbline, two ingest processes, into roll-ups: {ours:,.0f} events/s")
    for name, column, rate, wanted in (
        ("Event.objects.create", 1, create, 30),
        ("bulk_create", 2, bulk_create, 5),
    ):
        ratio = median(rates[0] / rates[column] for rates in rounds)
        print(
            f"  DRF and {name}, no roll-ups: {rate:,.0f} events/s:"
            f" {ratio:.1f} times (at least {wanted})",
            flush=True,
        )


def _into_rollups(generator: Executor, port: int, bodies: list[bytes]) -> float:
    """Return events a second, from the first request until the last event is counted."""
    requests = [load.request(body) for body in bodies]
    before = _counted()
    sending = generator.submit(load.send_all, port, requests)
    wanted = before + len(bodies) * traffic.EVENTS_PER_REQUEST
    while _counted() < wanted:
        sleep(0.02)
        if sending.done():
            sending.result()  # raises what went wrong
    counted_at = perf_counter()
    return (wanted - before) / (counted_at - sending.result().started)


def _counted() -> int:
    dataset.use_database(OURS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(value), 0)::bigint FROM analytics_eventday")
        (number,) = cursor.fetchone()
    return int(number)


def _stored(generator: Executor, port: int, path: str, bodies: list[bytes], events: int) -> float:
    """Return events a second until the last is stored, which is before it is acknowledged."""
    requests = [
        load.request(body, path=path) for body in bodies[: events // traffic.EVENTS_PER_REQUEST]
    ]
    done = generator.submit(load.send_all, port, requests).result()
    return done.rate * traffic.EVENTS_PER_REQUEST


def _make_first_design() -> None:
    dataset.use_database(FIRST_DESIGN)
    connection.ensure_connection()
    environment = {
        **os.environ,
        "DATABASE_URL": dataset.url(FIRST_DESIGN),
        "DJANGO_SETTINGS_MODULE": "benchmarks.first_design.settings",
    }
    command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
    subprocess.run(command, check=True, env=environment)


def _empty_first_design() -> None:
    dataset.use_database(FIRST_DESIGN)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE first_design_event; CHECKPOINT")

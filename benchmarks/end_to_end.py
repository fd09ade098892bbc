"""Events a second from HTTP to committed roll-ups, compared with obvious designs."""

import os
import subprocess
import sys
from concurrent.futures import Executor
from datetime import timedelta
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

from django.db import connection

from benchmarks import dataset, load, servers, traffic

EVENTS = 400_000  # of one measurement
# When the events happened: the older they are, the more roll-ups they change.
SENT = {
    "as they happen": timedelta(minutes=1),
    "after a day offline": timedelta(days=1),
}
ROUNDS = 9
OURS, FIRST_DESIGN = "bench_end_to_end", "bench_first_design"


class FirstDesign(NamedTuple):
    """An obvious design, and how many times as fast we want to be."""

    name: str
    path: str
    events: int  # that take about as long as ours
    wanted: int


FIRST_DESIGNS = (
    FirstDesign("Event.objects.create", "/create/", 8_000, 30),
    FirstDesign("bulk_create", "/bulk_create/", 80_000, 5),
)


def run(scale: float) -> None:
    print(f"Making {traffic.PERSONS:,} persons ...", flush=True)
    token = traffic.fill_database(OURS)
    _make_first_design()
    rounds: list[dict[str, float]] = []  # events a second, by how they were sent or by the design
    with (
        servers.web("config.wsgi:application", OURS) as ours,
        servers.ingest(OURS),
        servers.ingest(OURS),
        servers.web("benchmarks.first_design.wsgi:application", FIRST_DESIGN) as first_design,
        load.generator() as generator,
    ):
        for turn in range(ROUNDS + 1):  # in turn, so that all share the machine's state
            rates: dict[str, float] = {}
            for seed, (sent, time) in enumerate(SENT.items(), start=turn * len(SENT)):
                events = traffic.events(int(EVENTS * scale), seed=seed, of_the_last=time)
                bodies = list(traffic.bodies(events, token))
                _empty_first_design()
                rates[sent] = _into_rollups(generator, ours, bodies)
            for design in FIRST_DESIGNS:
                some = bodies[: int(design.events * scale) // traffic.EVENTS_PER_REQUEST]
                rates[design.name] = _stored(generator, first_design, design.path, some)
            rounds.append(rates)
    _report(rounds[1:])  # the first one warms up


def _report(rounds: list[dict[str, float]]) -> None:
    for sent in SENT:
        rate = median(rates[sent] for rates in rounds)
        print(f"  Plumbline, two ingest processes, events sent {sent}: {rate:,.0f} events/s")
        for design in FIRST_DESIGNS:
            rate = median(rates[design.name] for rates in rounds)
            ratio = median(rates[sent] / rates[design.name] for rates in rounds)
            print(
                f"    DRF and {design.name}, no roll-ups: {rate:,.0f} events/s:"
                f" {ratio:.1f} times (at least {design.wanted})",
                flush=True,
            )


def _into_rollups(generator: Executor, port: int, bodies: list[bytes]) -> float:
    """Return events a second, from the first request until the last event is counted."""
    requests = [load.request(body) for body in bodies]
    before = _counted()
    sending = generator.submit(load.send_all, port, requests)
    wanted = before + len(bodies) * traffic.EVENTS_PER_REQUEST
    while _counted() < wanted:
        sleep(0.1)  # asking slows down what is measured
        if sending.done():
            sending.result()  # raises its error
    counted_at = perf_counter()
    return (wanted - before) / (counted_at - sending.result().started)


def _counted() -> int:
    dataset.use_database(OURS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(value), 0)::bigint FROM analytics_eventday")
        (number,) = cursor.fetchone()
    return int(number)


def _stored(generator: Executor, port: int, path: str, bodies: list[bytes]) -> float:
    """Return events a second until the last is stored, just before it is acknowledged."""
    requests = [load.request(body, path=path) for body in bodies]
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

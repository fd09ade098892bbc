"""Requests a second at the front door, compared with a WSGI function that stores the body."""

import gzip
from concurrent.futures import Executor
from statistics import median

from django.db import connection

from analytics.models import InboxRequest
from benchmarks import dataset, floor, load, servers, traffic

SECONDS = 1.0
ROUNDS = 15
DIFFERENT = 64  # requests
OURS, FLOOR = "bench_accept", "bench_floor"


def run(scale: float) -> None:
    token = _prepare()
    with (
        servers.web("config.wsgi:application", OURS) as ours,
        servers.web("benchmarks.floor:application", FLOOR) as bare,
        load.generator() as generator,
    ):
        for events in (1, 100):
            sent = traffic.events(DIFFERENT * events, seed=events)
            plain = list(traffic.bodies(sent, token, size=events))
            for compressed in (False, True):
                requests = [
                    load.request(gzip.compress(body) if compressed else body, compressed=compressed)
                    for body in plain
                ]
                name = f"{events:3} event(s) {'gzip' if compressed else 'plain'}"
                _compare(generator, name, (ours, bare), requests, SECONDS * scale)


def _compare(
    generator: Executor, name: str, ports: tuple[int, int], requests: list[bytes], seconds: float
) -> None:
    for port in ports:  # warms up database connections and caches
        _rate(generator, port, requests, seconds)
    rounds = []
    for _ in range(ROUNDS):  # in turn, so that both share the machine's state
        _empty()
        rounds.append([_rate(generator, port, requests, seconds) for port in ports])
    ours, bare = (median(rates) for rates in zip(*rounds, strict=True))
    ratio = median(ours / bare for ours, bare in rounds)
    print(
        f"  {name:18} {ours:6,.0f} requests/s, floor {bare:6,.0f}:"
        f" ratio {ratio:.2f} (at least 0.6)",
        flush=True,
    )


def _rate(generator: Executor, port: int, requests: list[bytes], seconds: float) -> float:
    return generator.submit(load.keep_sending, port, requests, seconds).result().rate


def _prepare() -> str:
    """Create both databases; return our project key's token."""
    dataset.use_database(FLOOR)
    with connection.cursor() as cursor:
        cursor.execute(floor.TABLE)
    return dataset.empty_database(OURS)


def _empty() -> None:
    """Empty the inbox, as ingest would, and write everything to disk."""
    dataset.use_database(FLOOR)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE floor; CHECKPOINT")
    dataset.use_database(OURS)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {InboxRequest._meta.db_table}")

"""What a client with nothing but the public capture key can cost others.

Each part is a function of the scale that returns rows of the table.
"""

import gzip
import http.client
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from threading import Event
from time import perf_counter, sleep
from typing import NamedTuple
from uuid import UUID

from analytics.models import EventDay
from benchmarks import dataset, load, mail_bomb, servers, slow_clients, traffic

DATABASE = "bench_abuse"
SECONDS = 120
CONNECTIONS = 500
EVENTS = 49_000
FAT_EVENTS = 124  # of 1.9 MB: 234 MB
FAT_VALUE = 1_900_000  # bytes
PROBE_EVERY = 10

_PAUSE = 0.05  # seconds between two requests to a path
_TIMEOUT = 10  # seconds; a request that is not answered by then counts with it


class Row(NamedTuple):
    """A line of the table: what was tried, what it cost, and what it may cost."""

    trial: str
    figure: str
    bound: str


def run(scale: float) -> None:
    for part in PARTS:
        for row in part(scale):
            print(f"  {row.trial:56} {row.figure:52} {row.bound}", flush=True)


def slow_requests(scale: float) -> Iterator[Row]:
    """Measure other requests without and with connections that send next to nothing."""
    token = dataset.empty_database(DATABASE)
    seconds = SECONDS * scale
    with (
        servers.web_process("config.wsgi:application", DATABASE) as (port, pid),
        load.generator() as generator,
    ):
        others = _others(token)
        _watch(port, others, 2)  # warms up
        before, memory = _watch(port, others, min(30.0, seconds)), _memory(pid)
        holding = generator.submit(
            slow_clients.hold, port, list(slow_clients.KINDS.values()), CONNECTIONS, seconds
        )
        during, memory_during = _watch(port, others, seconds), _memory(pid)
        held = holding.result()
    for path in others:
        (p50, p99), (slow_p50, slow_p99) = before[path], during[path]
        yield Row(
            f"{path} without and with {CONNECTIONS} slow connections",
            f"p50 {p50:.0f} -> {slow_p50:.0f} ms, p99 {p99:.0f} -> {slow_p99:.0f} ms",
            "p99 at most twice",
        )
    yield Row("slow connections", str(held), "each within 60 s")
    yield Row("memory of the web processes", f"{memory:.0f} -> {memory_during:.0f} MB", "bounded")


def v1_answers(scale: float) -> Iterator[Row]:
    """Measure the answer to a v1 request of very many small events."""
    token, events = dataset.empty_database(DATABASE), int(EVENTS * scale)
    kinds = {"ordinary": "ada", "refused": ""}  # by the distinct id
    with servers.web("config.wsgi:application", DATABASE) as port:
        for kind, distinct_id in kinds.items():
            body = gzip.compress(_v1_body(events, distinct_id))
            seconds = median(_v1_seconds(port, token, body) for _ in range(3))
            yield Row(f"v1 answer for {events:,} {kind} events", f"{seconds:.2f} s", "1 s")


def mail_bombs(scale: float) -> Iterator[Row]:
    """Count the e-mails that claimed persons at their limits cause."""
    persons = int(mail_bomb.PERSONS * scale)
    for rule, figure in mail_bomb.flood(persons):
        yield Row(f"{persons:,} claimed persons at a limit, {rule}", figure, "0; 500, 1")


def fat_person(scale: float) -> Iterator[Row]:
    """Measure when others' events are visible while a person is sent ever more properties."""
    token, events = dataset.empty_database(DATABASE), int(FAT_EVENTS * scale)
    waits = []
    with (
        servers.web("config.wsgi:application", DATABASE) as port,
        servers.ingest(DATABASE),
    ):
        _seconds_until_visible(port, token, "warms-up")
        for number in range(events):
            _post(port, _fat_body(token, number))
            if number % PROBE_EVERY == PROBE_EVERY - 1:
                waits.append(_seconds_until_visible(port, token, f"probe-{number}"))
    megabytes = events * FAT_VALUE / 1e6
    yield Row(
        f"another's event visible, a person sent {megabytes:.0f} MB to set",
        f"median {median(waits):.2f} s, at most {max(waits):.2f} s, at last {waits[-1]:.2f} s",
        "2 s",
    )


PARTS: tuple[Callable[[float], Iterator[Row]], ...] = (
    slow_requests,
    v1_answers,
    mail_bombs,
)


def _others(token: str) -> dict[str, tuple[str, bytes | None]]:
    """Return the requests of others, by path: method and body."""
    [body] = traffic.bodies(traffic.events(1, seed=1), token, size=1)
    return {
        "/batch/": ("POST", body),
        "/livez": ("GET", None),
        "/readyz": ("GET", None),
        "/admin/login/": ("GET", None),
    }


def _watch(
    port: int, others: dict[str, tuple[str, bytes | None]], seconds: float
) -> dict[str, tuple[float, float]]:
    """Send the requests of others for some seconds; return p50 and p99 in ms by path."""
    over = Event()

    def send(path: str) -> tuple[float, float]:
        method, body = others[path]
        times = []
        while not over.wait(_PAUSE):
            times.append(_milliseconds(port, method, path, body))
        percentiles = quantiles(times, n=100, method="inclusive")
        return percentiles[49], percentiles[98]

    with ThreadPoolExecutor(len(others)) as threads:
        sending = {path: threads.submit(send, path) for path in others}
        over.wait(seconds)
        over.set()
        return {path: future.result() for path, future in sending.items()}


def _milliseconds(port: int, method: str, path: str, body: bytes | None) -> float:
    start = perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request(method, path, body)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return 1e3 * _TIMEOUT
    finally:
        connection.close()
    return 1e3 * (perf_counter() - start)


def _v1_body(events: int, distinct_id: str) -> bytes:
    event = {"event": "used", "distinct_id": distinct_id, "properties": {"plan": "team"}}
    event["timestamp"] = datetime.now(UTC).isoformat()
    batch = [event | {"uuid": str(UUID(int=number, version=4))} for number in range(events)]
    return json.dumps({"batch": batch}).encode()


def _v1_seconds(port: int, token: str, body: bytes) -> float:
    headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
    start = perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", "/i/v1/analytics/events", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.close()
    return perf_counter() - start


def _fat_body(token: str, number: int) -> bytes:
    """Return an event that sets a large property of a new name."""
    value = {f"p{number}": Random(number).randbytes(FAT_VALUE // 2).hex()}
    event = {"event": "$set", "distinct_id": "fat", "properties": {"$set": value}}
    return json.dumps({"api_key": token, "batch": [event]}).encode()


def _seconds_until_visible(port: int, token: str, name: str) -> float:
    """Send an event of another person, and wait until it is counted."""
    start = perf_counter()
    event = {"event": name, "distinct_id": "other", "properties": {}}
    _post(port, json.dumps({"api_key": token, "batch": [event]}).encode())
    while not EventDay.objects.filter(event=name, value__gt=0).exists():
        sleep(0.01)
    return perf_counter() - start


def _post(port: int, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/batch/", body)
    assert connection.getresponse().status == 200
    connection.close()


def _memory(pid: int) -> float:
    """Return the memory of a process and its children in MB."""
    tree = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    pages = (int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in tree)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

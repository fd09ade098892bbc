"""Seconds from acknowledged to visible in the committed counters, without a backlog."""

from statistics import quantiles
from time import perf_counter, sleep

from django.db import connection

from analytics.models import InboxRequest
from benchmarks import load, servers, traffic

PER_SECOND = 500  # requests of one event each
SECONDS = 30
DATABASE = "bench_freshness"
_PROBE_EVERY = 20  # requests; a probe has a unique name, so that its arrival is visible
_TIMEOUT = 60  # seconds


def run(scale: float) -> None:
    token = traffic.fill_database(DATABASE)
    number = int(PER_SECOND * SECONDS * scale)
    requests, probes = _requests(number, token)
    with (
        servers.web("config.wsgi:application", DATABASE) as port,
        servers.ingest(DATABASE),
        load.generator() as generator,
    ):
        generator.submit(load.send_all, port, requests[: load.CONNECTIONS]).result()
        _wait_for_ingest()
        sending = generator.submit(load.send_evenly, port, requests, PER_SECOND)
        visible_at = _watch(set(probes))
        accepted_at = sending.result()
    waits = [visible_at[name] - accepted_at[position] for name, position in probes.items()]
    percentiles = quantiles(waits, n=100, method="inclusive")
    print(
        f"  {number:,} events, {number / (max(accepted_at) - min(accepted_at)):.0f}/s:"
        f" visible after p50 {percentiles[49]:.2f} s, p99 {percentiles[98]:.2f} s,"
        f" at most {max(waits):.2f} s (p99 at most 2 s)"
    )


def _requests(number: int, token: str) -> tuple[list[bytes], dict[str, int]]:
    """Return the requests, and the index of each probe by its name."""
    probes = {f"probe-{index}": index for index in range(load.CONNECTIONS, number, _PROBE_EVERY)}
    sent = traffic.events(number, seed=1)
    for name, index in probes.items():
        sent[index] = sent[index]._replace(name=name)
    return [load.request(body) for body in traffic.bodies(sent, token, size=1)], probes


def _wait_for_ingest() -> None:
    """Wait until the ingest process has started and the inbox is empty."""
    while InboxRequest.objects.exists():
        sleep(0.05)


def _watch(missing: set[str]) -> dict[str, float]:
    """Return when each event name was first counted, by `perf_counter`."""
    visible_at: dict[str, float] = {}
    deadline = perf_counter() + SECONDS + _TIMEOUT
    while missing:
        new = _seen(missing)
        visible_at |= dict.fromkeys(new, perf_counter())
        missing -= new
        if perf_counter() > deadline:
            raise TimeoutError(f"{len(missing)} events were never counted")
        sleep(0.01)
    return visible_at


def _seen(names: set[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event FROM analytics_eventday WHERE event = ANY(%s) AND value > 0",
            [list(names)],
        )
        return {name for (name,) in cursor.fetchall()}

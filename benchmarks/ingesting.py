"""From the inbox to committed events, persons, days and counters, compared with binary COPY."""

from collections.abc import Sequence
from statistics import median

from django.db import connection

from analytics.models import Event, InboxRequest
from analytics.rollups import rebuild
from benchmarks import dataset, traffic, workers
from benchmarks.workers import Worker

EVENTS = 500_000  # of one measurement
ROUNDS = 9  # the machine's speed may change between both sides of a round
OURS, THEIRS = "bench_ingest", "bench_copy"


def run(scale: float) -> None:
    events = max(int(EVENTS * scale), 2 * traffic.ROWS_PER_COPY)
    print(f"Making {traffic.PERSONS:,} persons ...", flush=True)
    token = traffic.fill_database(OURS)
    dataset.copy_database(OURS, THEIRS)
    with (
        workers.running(workers.ingest, 2, database_url=dataset.url(OURS)) as ingesters,
        workers.running(workers.copy, 2, database_url=dataset.url(THEIRS)) as copiers,
    ):
        for processes in (1, 2):
            rates: list[tuple[float, float]] = []
            for turn in range(ROUNDS):  # in turn, so that both share the machine's state
                sent = traffic.events(events, seed=10 * turn + processes)
                copied = len(sent) / _copy(copiers[:processes], sent)
                ingested = len(sent) / _ingest(ingesters[:processes], sent, token)
                rates.append((ingested, copied))
            _report(processes, rates)
    dataset.use_database(OURS)
    stored, waiting = Event.objects.count(), InboxRequest.objects.count()
    assert (stored, waiting) == (traffic.PERSONS + 2 * ROUNDS * events, 0), (stored, waiting)
    differences = rebuild.check()
    assert not differences, differences
    print(f"  {stored:,} events; every roll-up equals a rebuilt one")


def _report(processes: int, rates: Sequence[tuple[float, float]]) -> None:
    ingested, copied = (median(rate) for rate in zip(*rates, strict=True))
    ratio = median(ours / theirs for ours, theirs in rates)
    print(
        f"  {processes} process(es): {ingested:,.0f} events/s, COPY {copied:,.0f} rows/s:"
        f" ratio {ratio:.2f} (at least 0.3)",
        flush=True,
    )


def _ingest(processes: Sequence[Worker], sent: Sequence[traffic.Event], token: str) -> float:
    dataset.use_database(OURS)
    traffic.fill_inbox(traffic.bodies(sent, token))
    _checkpoint()
    return workers.seconds(processes)


def _copy(processes: Sequence[Worker], sent: Sequence[traffic.Event]) -> float:
    batches = list(traffic.copies(sent))
    for number, worker in enumerate(processes):
        worker.pipe.send(batches[number :: len(processes)])
        worker.pipe.recv()
    _checkpoint()
    return workers.seconds(processes)


def _checkpoint() -> None:
    """Write everything to disk, so that the next side does not pay for it."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")

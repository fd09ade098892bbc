"""Processes that start working on a message, so that only the work is timed."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any, NamedTuple

import psycopg

_spawn = multiprocessing.get_context("spawn")

_COPY = (
    "COPY analytics_event (person_id, timestamp, uuid, event, distinct_id, properties)"
    " FROM STDIN (FORMAT binary)"
)


class Worker(NamedTuple):
    """One process: send it a message over the pipe, and it replies when it is done."""

    process: Any
    pipe: Connection


def ingest(pipe: Connection) -> None:
    """Empty the inbox, as `manage.py ingest` does, on every message."""
    import django

    django.setup()
    from analytics.ingestion.inbox import Inbox
    from analytics.management.commands import ingest
    from analytics.rollups.person_cache import PersonCache

    def work(inbox: Inbox) -> None:
        while inbox.process_batch():
            pass

    ingest.prepare()
    cache = PersonCache()
    inboxes = [Inbox(cache=cache) for _ in range(ingest.THREADS)]
    with ThreadPoolExecutor(ingest.THREADS) as threads:
        list(threads.map(work, inboxes))  # opens the connections
        pipe.send(True)
        while pipe.recv() is not None:
            list(threads.map(work, inboxes))
            pipe.send(True)


def copy(pipe: Connection) -> None:
    """COPY each piece of data in a transaction of its own, on a message."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        pipe.send(True)
        while (batches := pipe.recv()) is not None:
            pipe.send(True)
            pipe.recv()
            for batch in batches:
                with connection.cursor().copy(_COPY) as writer:
                    writer.write(batch)
            pipe.send(True)


@contextmanager
def running(work: Any, number: int, *, database_url: str) -> Iterator[list[Worker]]:
    """Keep `number` processes that do `work` on a database."""
    kept = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = database_url
    workers = []
    try:
        for _ in range(number):
            ours, theirs = _spawn.Pipe()
            process = _spawn.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            workers.append(Worker(process, ours))
        for worker in workers:
            worker.pipe.recv()
    finally:
        os.environ["DATABASE_URL"] = kept
    try:
        yield workers
    finally:
        for worker in workers:
            worker.pipe.send(None)
            worker.process.join()


def seconds(workers: Sequence[Worker]) -> float:
    """Let all of them work; return the seconds until the last is done."""
    start = perf_counter()
    for worker in workers:
        worker.pipe.send(True)
    for worker in workers:
        worker.pipe.recv()
    return perf_counter() - start

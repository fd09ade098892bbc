"""Turn acknowledged requests into stored events, until stopped."""

import gc
import logging
import signal
import sys
import threading
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import monotonic
from typing import Any

import django.db
import psycopg

from analytics.ingestion import inbox
from analytics.rollups.person_cache import PersonCache
from common.commands import QuickCommand
from common.formatting import counted, decimals

logger = logging.getLogger(__name__)

# While PostgreSQL stores the events of one thread, the other reads the next requests.
THREADS = 2
IDLE_SECONDS = 0.2
RETRY_SECONDS = 2
REPORT_SECONDS = 1

# Unavailable, full or in a deadlock; psycopg's own errors where its connection is used directly.
_NOT_NOW = (
    django.db.OperationalError,
    django.db.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


class Command(QuickCommand):
    help = (
        "Turn acknowledged requests into stored events, until stopped. Several can run in parallel."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when the inbox is empty")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        prepare()
        cache, progress = PersonCache(), Progress()
        with ThreadPoolExecutor(THREADS, "ingest") as threads:
            work = [
                threads.submit(_work, inbox.Inbox(cache=cache), stop, progress, once=once)
                for _ in range(THREADS)
            ]
            try:
                for each in as_completed(work):
                    each.result()
            finally:
                stop.set()
        if once:
            progress.add(0, last=True)


def _work(claims: inbox.Inbox, stop: threading.Event, progress: "Progress", *, once: bool) -> None:
    """Store batches, until stopped or, with `once`, until the inbox is empty."""
    while not stop.is_set():
        try:
            events = claims.process_batch()
            progress.add(events)
        except _NOT_NOW as error:
            logger.warning("Cannot store events, retrying: %s", error)
            django.db.connection.close()
            stop.wait(RETRY_SECONDS)
            continue
        if not events:
            if once:
                break
            stop.wait(IDLE_SECONDS)
    django.db.connection.close()


def prepare() -> None:
    """Tune this process for batches."""
    # JSON that the front door could read must be readable here, however deeply nested.
    sys.setrecursionlimit(5_000)
    # Batches make many objects and no cycles: searching for cycles takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(500_000, 10, 10)
    # A thread that has received its response from the database soon gets its turn.
    sys.setswitchinterval(0.0005)


class Progress:
    """Logs the progress of ingest, at most one line per second, and nothing while idle."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events = 0
        self._since = self._reported_at = monotonic() - REPORT_SECONDS

    def add(self, events: int, *, last: bool = False) -> None:
        with self._lock:
            now = monotonic()
            if not self._events and not events:
                self._since = now  # idle time is not work
                return
            self._events += events
            if now - self._reported_at < REPORT_SECONDS and not last:
                return
            self._report(now)

    def _report(self, now: float) -> None:
        rate = self._events / max(now - self._since, 0.001)
        stored, waiting = counted(self._events, "event"), counted(inbox.depth(), "request")
        logger.info("%s stored (%s/s), %s waiting", stored, decimals(rate, 0), waiting)
        self._events, self._since, self._reported_at = 0, now, now

"""Turn acknowledged requests into stored events, until stopped."""

import gc
import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

import django.db
import psycopg
from django.core.management.base import BaseCommand
from django.db import connection

from analytics.inbox import Inbox

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.2
RETRY_SECONDS = 2

# Django's own, and those of the plain cursors that ingest uses.
_AWAY = (
    django.db.OperationalError,
    django.db.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


class Command(BaseCommand):
    help = "Turn acknowledged requests into stored events, until stopped. Run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when the inbox is empty")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # Batches make many objects and no cycles: looking for some is a tenth of the time.
        gc.set_threshold(500_000, 10, 10)
        inbox = Inbox()
        while not stop.is_set():
            try:
                requests = inbox.process_batch()
            except psycopg.errors.DeadlockDetected:
                logger.info("Another process was in the way, trying again")
                continue
            except _AWAY as error:
                logger.warning("The database is away, trying again: %s", str(error).strip())
                connection.close()
                stop.wait(RETRY_SECONDS)
                continue
            if requests:
                logger.info("Stored the events of %d requests", requests)
            elif once:
                break
            else:
                stop.wait(IDLE_SECONDS)

"""Check the system each minute and report problems, until stopped."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from common.commands import QuickCommand
from operational.monitoring import watchdog


class Command(QuickCommand):
    help = "Check the system each minute and report problems, until stopped. Run a single instance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="check once")
        parser.add_argument(
            "--every", type=float, default=watchdog.EVERY, help="seconds between checks"
        )

    def handle(self, *_: Any, once: bool, every: float, **__: Any) -> None:
        if once:
            watchdog.check(watchdog.Outages())
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        watchdog.run(stop, every=every)

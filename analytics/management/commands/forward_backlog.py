"""Forward to PostHog what waits now."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from tqdm import tqdm

from analytics.forwarding import outbox
from analytics.forwarding.forwarding import NotForwarded, forward_backlog
from common.commands import QuickCommand
from common.formatting import counted
from common.locks import Locked


class Command(QuickCommand):
    help = (
        "Forward to PostHog what waits now, without the pause after a failure. "
        "Exit status: 0 nothing of it waits any more, 1 something does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--discard",
            action="store_true",
            help="forget what waits instead: PostHog will never have it; Plumbline keeps it",
        )

    def handle(self, *_: Any, discard: bool, **__: Any) -> None:
        if discard:
            self.stdout.write(f"{counted(outbox.discard(), 'event')} will not be forwarded.")
            return
        waiting = outbox.backlog().events
        if not settings.PLUMBLINE_FORWARDING:
            if waiting:
                raise CommandError(f"Forwarding is off; waiting: {counted(waiting, 'event')}.")
            self.stdout.write("Forwarding is off, and nothing waits.")
            return
        with tqdm(total=waiting, unit=" events", disable=None) as bar:
            try:
                forwarded = forward_backlog(progress=lambda done: bar.update(done - bar.n))
            except Locked as error:
                raise CommandError("Another process is forwarding now.") from error
            except NotForwarded as error:
                left = counted(outbox.backlog().events, "event")
                raise CommandError(f"{error}. Still waiting: {left}.") from error
        self.stdout.write(f"{counted(forwarded, 'event')} forwarded.")

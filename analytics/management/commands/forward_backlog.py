"""Forward the waiting events to PostHog."""

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
        "Forward the waiting events to PostHog now, without the pause after a failure. "
        "Exit status: 0 all were forwarded, 1 some still wait."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--discard",
            action="store_true",
            help="discard the waiting events: PostHog will never get them, Plumbline keeps them",
        )

    def handle(self, *_: Any, discard: bool, **__: Any) -> None:
        if discard:
            self.stdout.write(f"{counted(outbox.discard(), 'event')} will not be forwarded.")
            return
        waiting = outbox.backlog().events
        if not settings.PLUMBLINE_FORWARDING:
            if waiting:
                raise CommandError(f"Forwarding is off; waiting: {counted(waiting, 'event')}.")
            self.stdout.write("Forwarding is off, and no events are waiting.")
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

"""Compare everything stored of Stripe with Stripe, and correct it."""

from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from billing.stripe import sync
from billing.stripe.gateway import StoreOutcome, StripeProblem
from common.commands import QuickCommand

_SHOWN = 20  # ids of each sort


class Command(QuickCommand):
    help = "Read everything from Stripe, correct what is stored otherwise, and say what that was."

    def handle(self, *_: Any, **__: Any) -> None:
        with tqdm(desc="Reading", unit=" objects", disable=None) as bar:

            def progress(kind: str) -> None:
                bar.set_description(f"Reading {kind}s", refresh=False)
                bar.update()

            try:
                report = sync.sync(progress)
            except StripeProblem as problem:
                raise CommandError(f"{problem} What was read before that is kept.") from problem
        for kind, found in report.found.items():
            numbers = ", ".join(
                f"{found[change]} {change}" for change in StoreOutcome if found[change]
            )
            self.stdout.write(f"{kind:<13} {numbers or 'none'}")
        self.stdout.write(f"{'event':<13} {report.missed_events} missed before, applied now")
        self._list("Corrected", [" ".join(one) for one in report.corrected])
        self._list("Refused", [f"{kind} {one}: {why}" for kind, one, why in report.refused])
        self._list(
            "Stored here, unknown to Stripe (left alone)",
            [" ".join(one) for one in report.unknown_there],
        )

    def _list(self, title: str, lines: list[str]) -> None:
        if lines:
            self.stdout.write(f"{title}: {len(lines)}")
        for line in lines[:_SHOWN]:
            self.stdout.write(f"  {line}")
        if lines[_SHOWN:]:
            self.stdout.write(f"  and {len(lines) - _SHOWN} more")

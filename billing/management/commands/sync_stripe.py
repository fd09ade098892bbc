"""Compare all stored Stripe objects with Stripe, and correct them."""

from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from billing.stripe import sync
from billing.stripe.gateway import StoreOutcome, StripeProblem
from common.commands import QuickCommand

_MAX_IDS = 20  # per list


class Command(QuickCommand):
    help = "Compare all stored Stripe objects with Stripe, correct differences and report them."

    def handle(self, *_: Any, **__: Any) -> None:
        with tqdm(desc="Reading", unit=" objects", disable=None) as bar:

            def progress(kind: str, more: int) -> None:
                doing = kind if kind == sync.FOLLOWING else f"Reading {kind}s"
                bar.set_description(doing, refresh=False)
                bar.update(more)

            try:
                report = sync.sync(progress)
            except StripeProblem as problem:
                raise CommandError(f"{problem} Objects already synced are kept.") from problem
        for kind, outcomes in report.outcomes.items():
            numbers = ", ".join(
                f"{outcomes[change]} {change}" for change in StoreOutcome if outcomes[change]
            )
            self.stdout.write(f"{kind:<13} {numbers or 'none'}")
        self.stdout.write(f"{'event':<13} {report.missed_events} missed, now applied")
        self._list("Corrected", [" ".join(row) for row in report.corrected])
        self._list(
            "Refused", [f"{kind} {stripe_id}: {why}" for kind, stripe_id, why in report.refused]
        )
        self._list(
            "Stored, but missing at Stripe (kept)",
            [" ".join(row) for row in report.missing_at_stripe],
        )

    def _list(self, title: str, lines: list[str]) -> None:
        if lines:
            self.stdout.write(f"{title}: {len(lines)}")
        for line in lines[:_MAX_IDS]:
            self.stdout.write(f"  {line}")
        if lines[_MAX_IDS:]:
            self.stdout.write(f"  and {len(lines) - _MAX_IDS} more")

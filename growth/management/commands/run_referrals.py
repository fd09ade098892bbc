"""Derive referrals and handle their rewards now, as the scheduled job does every minute."""

from typing import Any

from django.utils import timezone

from common.commands import QuickCommand
from common.formatting import counted
from growth.referrals import running


class Command(QuickCommand):
    help = "Derive referrals from new events; make, settle and send the rewards for them."

    def handle(self, *_: Any, **__: Any) -> None:
        run = running.run(now=timezone.now())
        self.stdout.write(
            f"{counted(run.persons, 'person')} read. Rewards: {run.made} made,"
            f" {run.settled} settled, {run.sent} sent."
        )

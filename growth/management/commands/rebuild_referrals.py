"""Derive all referrals again from events and persons."""

from typing import Any

from common.commands import QuickCommand
from common.formatting import counted
from growth.referrals import attribution


class Command(QuickCommand):
    help = "Derive all referrals again, such as after importing codes that were in use before."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"{counted(attribution.rebuild(), 'person')} read.")

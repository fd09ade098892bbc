"""For the operator who cannot wait until a delay ends."""

from typing import Any

from common.commands import QuickCommand
from common.formatting import counted
from operational.models import LoginLimit


class Command(QuickCommand):
    help = "Forget all failed logins, so that the next attempts need not wait."

    def handle(self, **_: Any) -> None:
        deleted, _models = LoginLimit.objects.all().delete()
        self.stdout.write(f"Forgot {counted(deleted, 'login limit')}.")

"""Print the identity secret, with which your backend signs distinct ids."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from analytics.capture import verified_identity
from common.commands import QuickCommand
from common.formatting import counted


class Command(QuickCommand):
    help = "Print the identity secret, creating it if necessary."

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--new", action="store_true", help="create another one; both verify")
        action.add_argument(
            "--retire-earlier", action="store_true", help="verify with the newest one only"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["retire_earlier"]:
            retired = verified_identity.retire_earlier(now=timezone.now())
            self.stdout.write(f"Retired: {counted(retired, 'earlier secret')}")
            return
        secret = (
            verified_identity.new_secret() if options["new"] else verified_identity.current_secret()
        )
        self.stdout.write(verified_identity.secret_of(secret))

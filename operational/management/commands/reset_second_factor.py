"""For a user who lost app, passkeys and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from common.commands import QuickCommand
from operational.access import second_factor


class Command(QuickCommand):
    help = "Remove a user's second factor, so that the password alone opens the login again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **_: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        if not second_factor.reset(user, by=None):
            self.stdout.write(f"{username} has no second factor.")
            return
        self.stdout.write(f"Removed the second factor of {username}. It is in the user's history.")

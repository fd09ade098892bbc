"""Print, create, list or revoke project keys."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from analytics.capture.capture import DEFAULT_KEY_NAME, revoke
from analytics.models import ProjectKey
from common.commands import QuickCommand
from common.formatting import utc_moment


class Command(QuickCommand):
    help = "Print the default project key, creating it if necessary."

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--name", default=DEFAULT_KEY_NAME, help="print this key instead")
        action.add_argument("--revoke", metavar="NAME", help="refuse events with this key")
        action.add_argument("--list", action="store_true", help="list names and states, no tokens")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["list"]:
            for key in ProjectKey.objects.order_by("name"):
                self.stdout.write(f"{key}: {_state(key)}")
        elif options["revoke"]:
            self._revoke(options["revoke"])
        else:
            self._print(options["name"])

    def _print(self, name: str) -> None:
        try:
            ProjectKey(name=name).clean_fields()
        except ValidationError as error:
            raise CommandError(f"name: {' '.join(error.messages)}") from error
        key, _ = ProjectKey.objects.get_or_create(name=name)
        if key.revoked_at:
            raise CommandError(f"{name} was revoked: create another key with --name")
        self.stdout.write(key.token)

    def _revoke(self, name: str) -> None:
        keys = ProjectKey.objects.filter(name=name)
        if not keys.exists():
            raise CommandError(f"There is no key {name}: see --list")
        revoked = revoke(keys, now=timezone.now())
        self.stdout.write(f"{name} is revoked" if revoked else f"{name} was already revoked")


def _state(key: ProjectKey) -> str:
    if key.revoked_at:
        return f"revoked {utc_moment(key.revoked_at)}"
    return f"last used {utc_moment(key.last_used_at)}" if key.last_used_at else "not used yet"

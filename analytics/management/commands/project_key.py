"""Print, create, list or revoke project keys; the token of a server key is printed only once."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from analytics.capture.capture import DEFAULT_KEY_NAME, new_server_key, revoke
from analytics.models import ProjectKey
from common.commands import QuickCommand
from common.formatting import utc_moment


class Command(QuickCommand):
    help = "Print the default project key, creating it if necessary."

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--name", default=DEFAULT_KEY_NAME, help="print this key instead")
        action.add_argument(
            "--new-server-key", metavar="NAME", help="create a secret key for your backend"
        )
        action.add_argument("--revoke", metavar="NAME", help="refuse events with this key")
        action.add_argument("--list", action="store_true", help="list names, kinds and states")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["list"]:
            for key in ProjectKey.objects.order_by("name"):
                self.stdout.write(f"{key}: {key.kind}, {_state(key)}")
        elif options["revoke"]:
            self._revoke(options["revoke"])
        elif options["new_server_key"]:
            self._create_server_key(options["new_server_key"])
        else:
            self._print(options["name"])

    def _create_server_key(self, name: str) -> None:
        _check(name)
        if ProjectKey.objects.filter(name=name).exists():
            raise CommandError(f"There is a key {name} already; its token is not shown again")
        _, token = new_server_key(name)
        self.stderr.write("Keep it secret, and copy it now: it is not shown again.")
        self.stdout.write(token)

    def _print(self, name: str) -> None:
        _check(name)
        key, _ = ProjectKey.objects.get_or_create(name=name)
        if key.is_server:
            raise CommandError(f"{name} is a server key, whose token is not stored")
        if key.revoked_at:
            raise CommandError(f"{name} was revoked: create another key with --name")
        self.stdout.write(key.token)

    def _revoke(self, name: str) -> None:
        keys = ProjectKey.objects.filter(name=name)
        if not keys.exists():
            raise CommandError(f"There is no key {name}: see --list")
        revoked = revoke(keys, now=timezone.now())
        self.stdout.write(f"{name} is revoked" if revoked else f"{name} was already revoked")


def _check(name: str) -> None:
    try:
        ProjectKey(name=name).clean_fields()
    except ValidationError as error:
        raise CommandError(f"name: {' '.join(error.messages)}") from error


def _state(key: ProjectKey) -> str:
    if key.revoked_at:
        return f"revoked {utc_moment(key.revoked_at)}"
    return f"last used {utc_moment(key.last_used_at)}" if key.last_used_at else "not used yet"

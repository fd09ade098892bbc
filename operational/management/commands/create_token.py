"""Create an API token; the bare token is the last line of standard output."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Q

from common.api.access import scope_of
from common.commands import QuickCommand
from operational.access import tokens
from operational.access.scopes import SCOPES, UnknownScope

DEFAULT_SCOPE = "operational:read"


class Command(QuickCommand):
    help = "Create an API token for a user and print it. Scopes: " + ", ".join(SCOPES)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="a username or an e-mail address")
        parser.add_argument("--name", default="manage.py create_token", help="its purpose")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            metavar="SCOPE",
            help=f"what it may do; repeatable; by default {DEFAULT_SCOPE}",
        )
        expiry = parser.add_mutually_exclusive_group()
        days = tokens.EXPIRES_IN.days
        expiry.add_argument("--expires-in", type=int, default=days, metavar="DAYS")
        expiry.add_argument("--never", action="store_true", help="it never expires")
        parser.add_argument("--create", action="store_true", help="create the user if needed")
        parser.add_argument("--group", help="add the user to a group, such as Operator")
        parser.add_argument("--staff", action="store_true", help="make the user staff")

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        days = options["expires_in"]
        if not 1 <= days <= tokens.LONGEST.days:
            raise CommandError(f"--expires-in: {days} is not from 1 to {tokens.LONGEST.days} days.")
        scopes = options["scopes"] or [DEFAULT_SCOPE]
        user = self._user(options["user"].strip(), create=options["create"])
        self._promote(user, group=options["group"], staff=options["staff"])
        try:
            token, secret = tokens.create(
                user,
                name=options["name"],
                scopes=scopes,
                expires_in=None if options["never"] else timedelta(days=days),
            )
        except UnknownScope as error:
            raise CommandError(str(error)) from error
        self._warn(user, token.scopes)
        until = f"until {token.expiry:%Y-%m-%d}" if token.expiry else "forever"
        self.stderr.write(
            f"{user.username}'s new token, valid {until} for {', '.join(token.scopes)}."
            " Send it as `Authorization: Bearer TOKEN`:"
        )
        self.stdout.write(secret)

    def _user(self, name: str, *, create: bool) -> User:
        matching = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name))
        users = list(matching.filter(username=name) or matching)
        if len(users) > 1:
            names = ", ".join(sorted(user.username for user in users))
            raise CommandError(f"{name!r} may be {names}. Pass the username.")
        if users:
            if not users[0].is_active:
                raise CommandError(f"{users[0].username} is deactivated: a token would not work.")
            return users[0]
        if not create:
            raise CommandError(f"There is no user {name!r}. To create it, add --create.")
        return self._created(name)

    def _created(self, name: str) -> User:
        user = User(username=name, email=name if "@" in name else "")
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(f"{name!r}: {' '.join(error.messages)}") from error
        user.save()
        self.stderr.write(f"Created the user {name}, who cannot log in.")
        return user

    def _promote(self, user: User, *, group: str | None, staff: bool) -> None:
        if group is not None:
            existing = Group.objects.filter(name__iexact=group).first()
            if existing is None:
                names = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
                raise CommandError(f"There is no group {group!r}. Groups: {names}.")
            user.groups.add(existing)
        if staff and not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
            self.stderr.write(f"{user.username} is now staff.")

    def _warn(self, user: User, scopes: list[str]) -> None:
        usable = {scope_of(permission) for permission in user.get_all_permissions()}
        for scope in scopes:
            if scope not in usable:
                self.stderr.write(f"{user.username} has no permission that {scope} covers.")
            elif scope.startswith("operational:") and not user.is_staff:
                self.stderr.write(f"{user.username} is not staff, which {scope} needs.")

"""Create an API token; the bare token is the last line of standard output."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.db.models import Q
from knox.models import AuthToken

from common.commands import QuickCommand


class Command(QuickCommand):
    help = "Create an API token for a user, created if needed, and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--staff", action="store_true", help="the user may use /api/")

    def handle(self, **options: Any) -> None:
        user = self._user(options["email"].strip())
        if options["staff"] and not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
            self.stderr.write(f"{user.username} is now staff.")
        if not user.is_staff:
            self.stderr.write(f"{user.username} is not staff: most of the API needs --staff.")
        _, token = AuthToken.objects.create(user)
        self.stderr.write(f"Send it as `Authorization: Bearer TOKEN`. {user.username}'s new token:")
        self.stdout.write(token)

    def _user(self, email: str) -> User:
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is not a valid e-mail address.") from error
        existing = User.objects.filter(Q(username__iexact=email) | Q(email__iexact=email))
        if user := existing.order_by("pk").first():
            if not user.is_active:
                raise CommandError(f"{user.username} is deactivated: a token would not work.")
            return user
        if len(email) > 150:
            raise CommandError(f"{email!r} is longer than 150 characters.")
        self.stderr.write(f"Created the user {email}.")
        return User.objects.create_user(username=email, email=email)  # without a usable password

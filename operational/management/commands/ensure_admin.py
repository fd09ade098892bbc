"""Make sure someone can log in: the first start creates an administrator."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from common.commands import QuickCommand

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # no characters that look alike


class Command(QuickCommand):
    help = "Create the administrator `admin` with a random password if there is no administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-password", action="store_true", help="give an existing one a new password"
        )

    def handle(self, *, new_password: bool, **_: Any) -> None:
        superuser = User.objects.filter(is_superuser=True).order_by("pk").first()
        if superuser and new_password:
            password = _password()
            superuser.set_password(password)
            superuser.save(update_fields=["password"])
            self._print(superuser, password)
        elif superuser:
            self.stdout.write(
                f"Log in as {superuser.username}. Password lost? `make password` sets a new one."
            )
        elif User.objects.filter(username="admin").exists():
            self.stdout.write("The user admin is not a superuser. Run manage.py createsuperuser")
        else:
            password = _password()
            self._print(User.objects.create_superuser("admin", password=password), password)

    def _print(self, user: User, password: str) -> None:
        self.stdout.write(
            f"User:     {user.username}\nPassword: {password}\n"
            "This password is only shown once. `make password` sets a new one."
        )


def _password() -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))

"""Make sure someone can sign in: the first start creates an administrator."""

import secrets
from typing import Any

from django.contrib.auth.models import User

from common.commands import QuickCommand

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # no characters that look alike
_RESET = "manage.py changepassword"


class Command(QuickCommand):
    help = "Create the administrator `admin` with a random password if there is no administrator."

    def handle(self, **options: Any) -> None:
        superuser = User.objects.filter(is_superuser=True).order_by("pk").first()
        if superuser:
            name = superuser.username
            self.stdout.write(f"Sign in as {name}. Password lost? {_RESET} {name}")
        elif User.objects.filter(username="admin").exists():
            self.stdout.write("The user admin is not a superuser. Run manage.py createsuperuser")
        else:
            password = "-".join(
                "".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4)
            )
            User.objects.create_superuser("admin", password=password)
            self.stdout.write(
                f"User:     admin\nPassword: {password}\n"
                f"This password is only shown once. To change it: {_RESET} admin"
            )

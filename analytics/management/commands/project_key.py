"""Print the default capture key."""

from typing import Any

from django.core.management.base import BaseCommand

from analytics.capture import default_project_key


class Command(BaseCommand):
    help = "Print the default capture key, making it where there is none."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(default_project_key().token)

"""What the management commands share."""

from django.core.management.base import BaseCommand


class QuickCommand(BaseCommand):
    """A command without Django's system checks, which import every page and take a second.

    `migrate`, `check` and `make lint` run them.
    """

    requires_system_checks = ()

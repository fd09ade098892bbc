"""What the management commands share."""

from argparse import ArgumentTypeError
from datetime import date

from django.core.management.base import BaseCommand


class QuickCommand(BaseCommand):
    """A command without Django's system checks, which import every page and take a second.

    `migrate`, `check` and `make lint` run them.
    """

    requires_system_checks = ()


def day(text: str) -> date:
    """Return the day of a command's argument; raise ArgumentTypeError, which argparse prints."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} must be a day such as 2026-03-31") from error

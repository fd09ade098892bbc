"""Import spend from CSV: all lines or none, with the errors by line."""

from collections.abc import Sequence
from dataclasses import replace

from analytics.calculations.imports.errors import NotUnderstood
from billing.revenue import settings as revenue_settings
from growth.calculations.spend.files import SpendFile, read_file
from growth.calculations.spend.lines import SpendLine, overlaps, too_many
from growth.spend import aliases


def read(text: str) -> SpendFile:
    """Return the lines of a CSV file, and every problem by line; raise NotUnderstood.

    Amounts without a currency are in the reporting currency.
    """
    file = read_file(text, currency=revenue_settings.currency_in_force())
    lines = named(file.lines)
    if problem := too_many(lines):
        raise NotUnderstood(f"file: {problem}")
    return SpendFile(lines, dict(sorted((file.problems | overlaps(lines)).items())))


def named(lines: Sequence[SpendLine]) -> list[SpendLine]:
    """Return lines with the channels that their names stand for."""
    channels = aliases.channels()
    return [replace(line, channel=channels.get(line.channel, line.channel)) for line in lines]

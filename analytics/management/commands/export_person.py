"""Export everything that is stored about a person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from analytics.people.proving import person_named
from analytics.privacy.export import export
from common.commands import QuickCommand


class Command(QuickCommand):
    help = "Write everything that is stored about a person as JSON, as people may request."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("distinct_id", help="any distinct id of the person")
        parser.add_argument("--output", type=Path, help="a file instead of standard output")

    def handle(self, *_: Any, distinct_id: str, output: Path | None, **__: Any) -> None:
        person = person_named(distinct_id)
        if person is None:
            raise CommandError(f"No person has the distinct id {distinct_id!r}.")
        if output is None:
            for piece in export(person):
                self.stdout.write(piece.decode(), ending="")
            return
        with output.open("wb") as file:
            file.writelines(export(person))
        self.stdout.write(f"{output}: {output.stat().st_size:,} bytes")

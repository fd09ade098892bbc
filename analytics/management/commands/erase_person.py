"""Erase persons with every trace of them, or show what that would remove."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from analytics.people import persons, proving
from analytics.privacy import erasure
from analytics.privacy.erasure import Receipt
from common.commands import QuickCommand
from common.formatting import counted, number


class Command(QuickCommand):
    help = (
        "Erase persons everywhere, and print what was removed and what others still hold. "
        "Interrupted, it can be run again with the same ids or --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("distinct_id", nargs="*", help="any distinct id of a person")
        parser.add_argument("--file", type=Path, help="a file with a distinct id on each line")
        parser.add_argument("--dry-run", action="store_true", help="only show what it would remove")
        parser.add_argument(
            "--search-events",
            action="store_true",
            help="also remove their ids and addresses from events and profiles of others: reads"
            " every event",
        )
        parser.add_argument("--resume", action="store_true", help="finish what was interrupted")
        parser.add_argument("--allow", metavar="ID", help="accept events of an erased id again")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["allow"]:
            self._allow(options["allow"])
        elif options["resume"]:
            self.stdout.write(f"Finished: {counted(erasure.resume(), 'person')}.")
        else:
            self._erase(options)

    def _erase(self, options: dict[str, Any]) -> None:
        person_ids = self._person_ids(options["distinct_id"], options["file"])
        if options["dry_run"]:
            receipt = erasure.preview(person_ids, search_events=options["search_events"])
        else:
            with tqdm(total=len(person_ids), unit=" persons", disable=None) as bar:
                receipt = erasure.erase(
                    person_ids,
                    search_events=options["search_events"],
                    progress=lambda done: bar.update(done - bar.n) and None,
                )
        self._print(receipt, "Would remove" if options["dry_run"] else "Removed")

    def _person_ids(self, distinct_ids: list[str], file: Path | None) -> set[int]:
        try:
            lines = file.read_text().splitlines() if file else []
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from error
        ids = [*distinct_ids, *(line.strip() for line in lines if line.strip())]
        if not ids:
            raise CommandError("Name a distinct id, or a file with --file.")
        for distinct_id in ids:
            proving.prove(distinct_id)
        person_of = persons.ids_of(ids)
        missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in person_of]
        if missing and not file:
            raise CommandError(f"No person has the distinct id {missing[0]!r}.")
        if missing:
            self.stderr.write(f"No person, or erased before: {counted(len(missing), 'id')}.")
        return set(person_of.values())

    def _print(self, receipt: Receipt, verb: str) -> None:
        self.stdout.write(f"{verb}, of {counted(receipt.persons, 'person')}:")
        for name, rows in receipt.removed.items():
            if rows:
                self.stdout.write(f"  {number(rows):>12}  {name}")
        for person in receipt.same_address:
            self.stdout.write(f"Has the same e-mail address, and was not erased: {person.pk}")
        for call in receipt.elsewhere:
            self.stdout.write(f"{call.holder}: {call.call}".rstrip(": "))
            self.stdout.write(f"    {call.note}")

    def _allow(self, distinct_id: str) -> None:
        if not erasure.allow_again(distinct_id):
            self.stderr.write("This id was not erased.")
            sys.exit(1)
        self.stdout.write("Events of this id are stored again.")

"""Rows whose person does not exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from analytics.insights import events
from analytics.models import DistinctId, Person, PersonDay
from common.data_quality import NO_DATA, PASSED, CheckVerdict, Example, Finding, RepairableCheck
from common.formatting import counted

MAX_EXAMPLES = 5


class Orphans(RepairableCheck):
    slug = "orphans"
    name = "Orphaned records"
    family = "Orphaned records"
    remedy = (
        "Remove them: a new event with such an id creates a new person. Then run"
        " manage.py rebuild_rollups, so that only existing persons are counted."
    )
    repair_label = "Remove the orphaned records"

    def run(self, *, now: datetime) -> Finding:
        if not events.any_recorded():
            return NO_DATA
        counts = {rows.model._meta: rows.count() for rows in _orphans()}
        affected = sum(counts.values())
        if not affected:
            return PASSED
        detail = ", ".join(
            counted(rows, str(meta.verbose_name), str(meta.verbose_name_plural))
            for meta, rows in counts.items()
            if rows
        )
        return Finding(
            CheckVerdict.FAIL,
            affected,
            f"{detail} without a person.",
            self.preview(now=now),
        )

    def preview(self, *, now: datetime) -> Sequence[Example]:
        return [
            Example(f"{rows.model._meta.verbose_name} of person {row.person_id}")
            for rows in _orphans()
            for row in rows.order_by("person_id")[:MAX_EXAMPLES]
        ]

    @transaction.atomic
    def repair(self, *, now: datetime, by: str) -> int:
        return sum(rows.delete()[0] for rows in _orphans())


def _orphans() -> list[QuerySet[Any]]:
    is_orphaned = ~Exists(Person.objects.filter(pk=OuterRef("person_id")))
    return [rows.filter(is_orphaned) for rows in (DistinctId.objects, PersonDay.objects)]

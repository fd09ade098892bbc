"""Persons who are probably the same person."""

from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform

from analytics.models import Person
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted
from common.postgres import LowerAscii

MAX_EXAMPLES = 5


class DuplicatePersons(Check):
    slug = "duplicate_persons"
    name = "Persons with the same e-mail"
    family = "Duplicate persons"
    remedy = (
        "Open a person and merge the other one into it. Have your product call identify() with the"
        " same id at every login."
    )

    def run(self, *, now: datetime) -> Finding:
        persons = Person.objects.counted()
        if not persons.exists():
            return NO_DATA
        same = (
            persons.filter(properties__has_key="email")
            .annotate(email_key=LowerAscii(KeyTextTransform("email", "properties")))
            .exclude(email_key="")
            .values("email_key")
            .annotate(number=Count("pk"), persons=ArrayAgg("pk", order_by="pk"))
            .filter(number__gt=1)
            .order_by("-number", "email_key")
        )
        groups = list(same)
        if not groups:
            return PASSED
        affected = sum(group["number"] for group in groups)
        examples = [
            Example(
                f"{counted(group['number'], 'person')} with the same e-mail:"
                f" {_listed(group['persons'])}",
                "admin:analytics_person_change",
                group["persons"][0],
            )
            for group in groups[:MAX_EXAMPLES]
        ]
        addresses = counted(len(groups), "e-mail address", "e-mail addresses")
        detail = f"{counted(affected, 'person')} share {addresses}."
        return Finding(CheckVerdict.WARNING, affected, detail, examples)


def _listed(persons: list[int]) -> str:
    return ", ".join(map(str, persons[:MAX_EXAMPLES])) + (
        " …" if len(persons) > MAX_EXAMPLES else ""
    )

"""Persons who are probably one."""

from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from analytics.models import Person
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import number

SHOWN = 5


class DuplicatePersons(Check):
    slug = "duplicate_persons"
    name = "Persons with the same e-mail"
    family = "Duplicate persons"
    remedy = (
        "Open a person and merge the other into it; and have the product call identify() with the"
        " same id wherever somebody logs in."
    )

    def run(self, *, now: datetime) -> Finding:
        persons = Person.objects.counted()
        if not persons.exists():
            return NO_DATA
        same = (
            persons.filter(properties__has_key="email")
            .annotate(email_key=Lower(KeyTextTransform("email", "properties")))
            .exclude(email_key="")
            .values("email_key")
            .annotate(number=Count("pk"), persons=ArrayAgg("pk", order_by="pk"))
            .filter(number__gt=1)
            .order_by("-number", "email_key")
        )
        found = list(same)
        if not found:
            return PASSED
        affected = sum(one["number"] for one in found)
        examples = [
            Example(
                f"{one['number']} persons with one e-mail: {_listed(one['persons'])}",
                "admin:analytics_person_change",
                one["persons"][0],
            )
            for one in found[:SHOWN]
        ]
        detail = f"{number(affected)} persons share {number(len(found))} e-mail addresses."
        return Finding(CheckVerdict.WARNING, affected, detail, examples)


def _listed(persons: list[int]) -> str:
    return ", ".join(map(str, persons[:SHOWN])) + (" …" if len(persons) > SHOWN else "")

"""Persons without data that Plumbline needs."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from analytics.models import Person
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted

MAX_EXAMPLES = 5
RECENT = timedelta(days=90)


class MissingEmail(Check):
    slug = "missing_email"
    name = "Identified persons without an e-mail"
    family = "Missing fields"
    remedy = "Send the property email with identify(): without it, persons cannot get e-mail."

    def run(self, *, now: datetime) -> Finding:
        identified = _recent(now).filter(is_identified=True)
        if not identified.exists():
            return NO_DATA
        return _finding(
            identified.exclude(properties__has_key="email"),
            "identified person",
            "first seen in the last 90 days without an e-mail address",
        )


class MissingSignup(Check):
    slug = "missing_signup"
    name = "Active persons without a signup"
    family = "Missing fields"
    remedy = (
        "Send the signup event for every person, or set PLUMBLINE_SIGNUP_EVENT to the event that is"
        " sent: persons without it are not included in cohorts and rates."
    )

    def run(self, *, now: datetime) -> Finding:
        active = _recent(now).filter(first_event_at__isnull=False)
        if not active.exists():
            return NO_DATA
        return _finding(
            active.filter(signup_at=None),
            "active person",
            "first seen in the last 90 days without a signup",
        )


def _recent(now: datetime) -> QuerySet[Person]:
    return Person.objects.counted().filter(first_seen_at__gte=now - RECENT)


def _finding(persons: QuerySet[Person], noun: str, problem: str) -> Finding:
    affected = persons.count()
    if not affected:
        return PASSED
    examples = [
        Example(f"person {pk}", "admin:analytics_person_change", pk)
        for pk in persons.order_by("-first_seen_at").values_list("pk", flat=True)[:MAX_EXAMPLES]
    ]
    detail = f"{counted(affected, noun)} {problem}."
    return Finding(CheckVerdict.WARNING, affected, detail, examples)

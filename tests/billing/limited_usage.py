"""A person, what they did, and what their plan allows."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from analytics.ingestion.ingest import store
from analytics.models import DistinctId, Person
from billing.limits import usage_notices
from billing.models import Plan, PlanLimit, PlanPrice, UsageMeter
from tests.events import record

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)


def ran(times=1, *, person="ada", at=NOW, event="workflow_run", properties=None, **more):
    """Store that a person ran workflows, each a second before the last."""
    with transaction.atomic():
        store(
            [
                record(event, person, at - timedelta(seconds=number), properties=properties, **more)
                for number in range(times)
            ]
        )


def ada():
    """Return the primary key of the person with the id ada."""
    return DistinctId.objects.get(pk="ada").person_id


def identify(email="ada@example.com", person="ada"):
    """Store that a person signed up with an e-mail address, which is proved."""
    claim(email, person)
    Person.objects.filter(distinct_ids=person).update(proved={"email": email})
    DistinctId.objects.filter(pk=person).update(proved=True)


def claim(email="ada@example.com", person="ada", *, key=None):
    """Store that a person signed up with an e-mail address, which only a public key has set."""
    ran(event="signed_up", person=person, properties={"$set": {"email": email}})
    Person.objects.filter(distinct_ids=person).update(email_claimed_with=key)


def notify(now=NOW):
    """Notify ada of passed limits; return the thresholds in percent."""
    return [notice.threshold for notice in usage_notices.notify(ada(), now=now)]


def limit(amount, *, plan="free", meter="workflow_runs", **options):
    """Give a plan a limit in place of the one it has."""
    values = {"amount": amount, "hard": True, "grace": 0, "grace_percent": 0} | options
    PlanLimit.objects.update_or_create(
        plan=Plan.objects.get(slug=plan), meter=UsageMeter.objects.get(slug=meter), defaults=values
    )


def price(price_id, *, plan="pro"):
    PlanPrice.objects.create(plan=Plan.objects.get(slug=plan), price_id=price_id)


def plan(slug):
    return Plan.objects.get(slug=slug)

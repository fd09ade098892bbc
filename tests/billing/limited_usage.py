"""A person, what they did, and what their plan allows."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import DistinctId
from billing.limits import usage_notices
from billing.models import Plan, PlanLimit, PlanPrice, UsageMeter
from tests.events import record

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)


def ran(
    times=1,
    *,
    person="ada",
    at=NOW,
    event="workflow_run",
    properties=None,
    proof=Proof.PROVED,
    **more,
):
    """Store that a person ran workflows, each a second before the last, as the backend says."""
    more |= {"properties": properties, "proof": proof}
    with transaction.atomic():
        store(
            [
                record(event, person, at - timedelta(seconds=number), **more)
                for number in range(times)
            ]
        )


def claimed(times=1, **options):
    """Store that a person ran workflows, as only a public key says."""
    ran(times, proof=Proof.CLAIMED, **options)


def ada():
    """Return the primary key of the person with the id ada."""
    return DistinctId.objects.get(pk="ada").person_id


def identify(email="ada@example.com", person="ada"):
    """Store that a person signed up with an e-mail address, as the backend says."""
    signed_up(email, person)


def claim(email="ada@example.com", person="ada", *, key=None):
    """Store that a person signed up with an e-mail address, as only a public key says."""
    signed_up(email, person, proof=Proof.CLAIMED, project_key_id=key)


def signed_up(email, person, **more):
    ran(event="signed_up", person=person, properties={"$set": {"email": email}}, **more)


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

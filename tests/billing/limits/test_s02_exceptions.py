"""What staff grants to an id stays with its person when others claim the id."""

import pytest

from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import DistinctId
from billing.models import LimitException, Plan
from tests.events import record

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/limitexception/add/"


def grant(admin_client, distinct_id, callbacks):
    plan = Plan.objects.get(slug="enterprise")
    form = {"distinct_id": distinct_id, "plan": plan.pk, "ends_on": "2100-01-01", "reason": "Pilot"}
    with callbacks(execute=True):
        assert admin_client.post(ADD, form).status_code == 302


def person_of(distinct_id):
    return DistinctId.objects.get(pk=distinct_id).person_id


@pytest.mark.parametrize("proof", [Proof.CLAIMED, Proof.VERIFIED])
def test_s02_no_claim_absorbs_a_person_with_an_exception(
    admin_client, django_capture_on_commit_callbacks, proof
):
    store([record("used", "guest-42")])
    grant(admin_client, "guest-42", django_capture_on_commit_callbacks)
    store([record("$identify", "mallory", other_id="guest-42", proof=proof)])
    exception = LimitException.objects.get()
    assert person_of("mallory") != person_of("guest-42") == exception.distinct_id.person_id


def test_s02_what_is_granted_to_an_id_that_was_only_claimed_is_not_the_claimants(
    admin_client, django_capture_on_commit_callbacks
):
    store([record("$identify", "mallory", other_id="guest-42", proof=Proof.VERIFIED)])
    grant(admin_client, "guest-42", django_capture_on_commit_callbacks)
    assert person_of("mallory") != person_of("guest-42")

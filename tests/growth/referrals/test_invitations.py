"""What is stored as invited follows every change at once, in the transaction that makes it."""

from datetime import timedelta

import pytest

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.rollups import rebuild
from growth.models import Referral
from tests.events import NOON, record
from tests.growth.referrals import referring

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _bob_came_with_the_code_of_ada():
    referring.create_inviter(signup_at=NOON - DAY)
    referring.store(referring.visit(at=NOON - DAY / 2), referring.signup(at=NOON))


def stored():
    return Referral.objects.values_list("inviter_signup_at", "is_accepted").get()


def test_who_came_in_time_is_stored_with_the_signup_of_the_inviter():
    assert stored() == (NOON - DAY, True)


def test_a_late_activation_before_the_click_takes_the_signup_back():
    ingest.store([record("workflow_created", "bob", NOON - DAY)])
    assert stored() == (NOON - DAY, False)


def test_an_earlier_signup_of_the_inviter_that_arrives_late_counts():
    ingest.store([record("signed_up", "ada", NOON - 10 * DAY)])
    assert stored() == (NOON - 10 * DAY, True)


def test_an_inviter_who_signed_up_too_long_ago_does_not_count():
    ingest.store([record("signed_up", "ada", NOON - 40 * DAY)])
    assert stored() == (None, False)


def test_a_merge_of_both_persons_takes_it_back():
    ingest.store([record("$merge_dangerously", "ada", NOON, other_id="bob", proof=Proof.PROVED)])
    assert stored() == (None, False)


def test_a_rebuild_with_another_signup_event_changes_it(settings):
    ingest.store([record("paid", "ada", NOON - 3 * DAY)])
    settings.PLUMBLINE_SIGNUP_EVENT = "paid"
    rebuild.rebuild()
    assert stored() == (NOON - 3 * DAY, False)  # who never paid never signed up

"""What anyone can send with the public key decides no reward (S01); it may hold one for a review.

`offer` is the program with the inviter ada; eve is an attacker with a code of her own.
"""

from datetime import timedelta

import pytest

from analytics.calculations.records import Proof
from analytics.models import Person
from common.postgres import raw_cursor
from growth.calculations.reward import RewardState, Signal
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import namings
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.growth.referrals.paying import LATER, make, pay, refer
from tests.growth.referrals.referring import DAY, signup, store, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("offer")]

BEFORE = NOON - DAY / 2
CLAIMS = {
    "an old click": [visit(at=NOON - 40 * DAY)],
    "an earlier signup": [signup(at=BEFORE, code="")],
    "an earlier signup with another code": [signup(at=BEFORE, code="EVE")],
    "an earlier signup long ago": [signup(at=NOON - 90 * DAY, code="EVE")],
    "an earlier activation": [record("workflow_created", "bob", NOON - 50 * DAY)],
    "a click and an activation": [
        visit(at=BEFORE),
        record("workflow_created", "bob", BEFORE - timedelta(hours=1)),
    ],
    "another code in a property": [
        record("$set", "bob", BEFORE, properties={"$set": {"referral_code": "EVE"}})
    ],
}


@pytest.fixture(autouse=True)
def _eve(offer):
    referring.create_inviter("eve", "EVE")


def read():
    """Return what is read of bob's events."""
    return namings.of_events(raw_cursor(), [Person.objects.get(distinct_ids="bob").pk])


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("is_first", [True, False])
def test_s01_no_claim_takes_a_proved_reward_away(claims, is_first):
    if is_first:
        store(*claims)
    refer()
    if not is_first:
        store(*claims)
    make(LATER)
    reward = ReferralReward.objects.get()
    assert reward.code_id == "ADA"
    assert reward.state in {RewardState.DUE, RewardState.REVIEW}
    assert set(reward.signals) <= {Signal.GONE.value}


def test_s01_a_claim_takes_no_reward_away_where_the_backend_names_the_code_later():
    store(signup(code=""))
    named = {"$set": {"referral_code": "ADA"}}
    store(record("$set", "bob", NOON + DAY, properties=named, proof=Proof.PROVED))
    pay()
    store(signup(at=NOON - 90 * DAY, code="EVE"), visit(at=NOON - 80 * DAY, code="EVE"))
    make()
    assert ReferralReward.objects.get().code_id == "ADA"


@pytest.mark.parametrize("days", [1, 40, 90])
def test_s01_no_claim_makes_an_earlier_customer_a_new_one(days):
    store(visit(at=NOON - days * DAY), signup(at=NOON - days * DAY))
    store(signup(proof=Proof.PROVED))
    pay(at=NOON - timedelta(hours=1))
    pay()
    assert make() == {}


def test_s01_a_claimed_signup_far_before_the_proof_makes_no_earlier_customer_a_new_one():
    store(signup(at=NOON - 90 * DAY, code=""))
    named = {"$set": {"referral_code": "ADA"}}
    store(record("$set", "bob", NOON, properties=named, proof=Proof.PROVED))
    pay(at=NOON - 60 * DAY)
    assert make() == {}


def test_s01_claimed_referrals_leave_the_cap_to_proved_ones():
    ReferralProgram.objects.update(cap=1)
    refer("mallory", proof=Proof.CLAIMED)
    assert make(LATER) == {"mallory": RewardState.REVIEW}
    refer("bob")
    assert make(LATER)["bob"] == RewardState.DUE


def test_s01_a_claimed_event_is_not_use():
    refer(used=False)
    store(
        record("workflow_created", "bob", NOON + timedelta(hours=1)),
        record("used", "bob", NOON + 3 * DAY),
    )
    make(LATER)
    assert ReferralReward.objects.get().signals == [Signal.IDLE.value]


def test_s01_a_proved_event_that_is_not_activity_is_not_use():
    refer(used=False)
    store(record("$identify", "bob", NOON + 3 * DAY, proof=Proof.PROVED))
    make(LATER)
    assert ReferralReward.objects.get().signals == [Signal.IDLE.value]


def test_s04_no_more_events_of_a_person_are_read_than_the_bound(monkeypatch):
    claims = [visit(at=NOON - timedelta(minutes=number)) for number in range(30)]
    store(*claims, signup(proof=Proof.PROVED))
    monkeypatch.setattr(namings, "_NAMINGS", namings._NAMINGS.replace("LIMIT 1000", "LIMIT 10"))
    assert len(read()) == 10 + 1  # and the proved signup


def test_s04_events_after_the_signup_are_not_read():
    store(signup(proof=Proof.PROVED), *[visit(at=NOON + DAY * n) for n in range(1, 20)])
    assert len(read()) == 2

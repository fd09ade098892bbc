"""Rewards: for whom, once, held, reversed, capped."""

from datetime import timedelta

import pytest

from analytics.calculations.records import Proof
from billing.calculations.cash import CashKind
from growth.calculations.reward import RewardState
from growth.models import Referral, ReferralProgram, ReferralReward
from growth.referrals import attribution, rewards
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.growth.referrals.paying import LATER, PAID_AT, make, pay, refer, states
from tests.growth.referrals.referring import DAY, signup, store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("offer")]


def test_a_paid_referral_makes_a_reward_that_is_held_for_14_days():
    refer()
    assert make() == {"bob": RewardState.HELD}
    reward = ReferralReward.objects.get()
    assert (reward.code_id, reward.paid_at, reward.held_until) == ("ADA", PAID_AT, LATER)


def test_after_the_hold_a_reward_is_due():
    refer()
    assert make(LATER - timedelta(seconds=1)) == {"bob": RewardState.HELD}
    assert make(LATER) == {"bob": RewardState.DUE}


def test_p95_a_signup_and_an_activation_make_no_reward():
    store(signup(proof=Proof.PROVED), record("workflow_created", "bob", NOON + DAY))
    assert make(LATER) == {}


def test_an_invoice_of_nothing_makes_no_reward():
    store(signup(proof=Proof.PROVED))
    pay(amount=0)
    assert make() == {}


def test_who_paid_before_the_click_existed_before():
    store(signup(proof=Proof.PROVED))
    pay(at=NOON - DAY)
    pay()
    assert make() == {}


def test_a_program_without_rewards_makes_none():
    ReferralProgram.objects.update(reward="none")
    refer()
    assert make() == {}


@pytest.mark.parametrize("kind", [CashKind.REFUND, CashKind.DISPUTE, CashKind.CREDIT_NOTE])
@pytest.mark.parametrize(("days", "state"), [(14, RewardState.REVERSED), (15, RewardState.DUE)])
def test_money_that_goes_back_within_the_hold_reverses_the_reward(kind, days, state):
    refer()
    pay(at=PAID_AT + timedelta(days=days), amount=1, kind=kind)
    assert make(PAID_AT + timedelta(days=16)) == {"bob": state}


def test_a_refund_of_the_hold_that_arrives_late_reverses_what_is_not_sent():
    refer()
    make(LATER)
    pay(at=PAID_AT + DAY, kind=CashKind.REFUND)
    assert make(LATER + DAY) == {"bob": RewardState.REVERSED}


def test_a_sent_reward_is_not_reversed():
    refer()
    make(LATER)
    ReferralReward.objects.update(state=RewardState.SENT)
    pay(at=PAID_AT + DAY, kind=CashKind.REFUND)
    assert make(LATER + DAY) == {"bob": RewardState.SENT}


def test_p94_repeated_claims_pay_once():
    refer()
    for _ in range(3):
        attribution.rebuild()
        make()
    assert ReferralReward.objects.count() == 1


def test_p94_a_person_merged_from_two_referred_ones_pays_once_more_for_no_one():
    refer("bob")
    make()
    store(signup("cleo", proof=Proof.PROVED))
    merge = {"other_id": "cleo", "proof": Proof.PROVED}
    store(record("$merge_dangerously", "bob", NOON + DAY, **merge))
    pay("cleo", customer="cus_2")
    assert make(LATER) == {"bob": RewardState.DUE}


def test_p94_a_reward_stays_the_only_one_where_the_signup_moves_to_another_id():
    refer("bob")
    make()
    store(record("used", "cleo", NOON))
    store(
        signup("cleo", NOON - DAY / 2, proof=Proof.PROVED),
        record("$merge_dangerously", "bob", NOON + DAY, other_id="cleo", proof=Proof.PROVED),
    )
    assert Referral.objects.get().distinct_id_id == "cleo"
    assert list(make(LATER)) == ["bob"]


def test_the_cap_of_an_inviter_refuses_further_rewards():
    ReferralProgram.objects.update(cap=1)
    refer("bob")
    refer("cleo")
    assert sorted(make(LATER).values()) == ["capped", "due"]


def test_a_reversed_reward_leaves_room_under_the_cap():
    ReferralProgram.objects.update(cap=1)
    refer("bob")
    pay(at=PAID_AT + DAY, kind=CashKind.REFUND)
    make()
    refer("cleo")
    assert make(LATER) == {"bob": RewardState.REVERSED, "cleo": RewardState.DUE}


def test_the_cap_counts_every_code_of_a_merged_inviter():
    ReferralProgram.objects.update(cap=1)
    referring.create_inviter("eve", "EVE")
    store(record("$merge_dangerously", "ada", NOON, other_id="eve", proof=Proof.PROVED))
    refer("bob")
    refer("cleo", code="EVE")
    assert sorted(make(LATER).values()) == ["capped", "due"]


def test_staff_releases_a_reviewed_reward_with_a_reason():
    refer(proof=Proof.CLAIMED)
    assert make(LATER) == {"bob": RewardState.REVIEW}
    reward = ReferralReward.objects.get()
    rewards.release(reward, by="ada", reason="Known customer", now=LATER)
    reward.refresh_from_db()
    assert (reward.state, reward.decided_by, reward.reason) == ("due", "ada", "Known customer")


def test_staff_refuses_a_held_reward_and_it_stays_refused():
    refer()
    make()
    rewards.refuse(ReferralReward.objects.get(), by="ada", reason="Fraud")
    assert make(LATER) == {"bob": RewardState.REFUSED}


def test_a_refused_reward_is_not_released():
    refer()
    make()
    reward = ReferralReward.objects.get()
    rewards.refuse(reward, by="ada", reason="Fraud")
    with pytest.raises(rewards.NotOpen):
        rewards.release(reward, by="eve", reason="", now=LATER)
    assert states() == {"bob": RewardState.REFUSED}

"""Claims of the same referral at once, on real connections, pay once (P94)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from analytics.calculations.records import Proof
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import rewards
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.growth.referrals.paying import LATER, refer, states
from tests.growth.referrals.referring import store

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


@pytest.fixture
def _offer():
    referring.create_program(reward="webhook", webhook_url="http://127.0.0.1:9/", cap=None)
    referring.create_inviter()


def together(*calls):
    """Call functions at the same moment, each on a connection of its own; return the results."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.usefixtures("_offer")
def test_p94_parallel_claims_of_one_referral_make_one_reward():
    refer()
    made = together(*[rewards.claim_all] * AT_ONCE)
    assert (sum(made), ReferralReward.objects.count()) == (1, 1)


@pytest.mark.usefixtures("_offer")
def test_p94_rewards_that_become_due_at_once_keep_the_cap():
    ReferralProgram.objects.update(cap=3)
    for number in range(AT_ONCE):
        refer(f"friend-{number}")
    rewards.claim_all()
    together(*[lambda: rewards.settle_all(now=LATER)] * AT_ONCE)
    assert sorted(states().values()) == ["capped"] * 5 + ["due"] * 3


@pytest.mark.usefixtures("_offer")
def test_p94_a_merge_at_the_same_moment_pays_once():
    refer("bob", used=False)
    refer("cleo", used=False)
    merge = record("$merge_dangerously", "bob", NOON, other_id="cleo", proof=Proof.PROVED)
    together(rewards.claim_all, lambda: store(merge), rewards.claim_all)
    rewards.claim_all()
    assert ReferralReward.objects.count() <= 2  # two where both were claimed before the merge
    assert len(set(states())) == ReferralReward.objects.count()

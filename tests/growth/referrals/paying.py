"""Payments of referred people, and the rewards for them."""

from datetime import timedelta

from analytics.calculations.records import Proof
from billing.calculations.cash import CashKind
from billing.models import CashEntry, StripeCustomer
from growth.calculations.reward import RewardState
from growth.models import ReferralReward
from growth.referrals import rewards
from tests.events import NOON, record
from tests.growth.referrals.referring import DAY, signup, store

PAID_AT = NOON + 2 * DAY
LATER = PAID_AT + timedelta(days=14)


def pay(distinct_id="bob", at=PAID_AT, *, amount=2000, kind=CashKind.PAYMENT, customer=""):
    """Add a paid invoice, or something else, of the person's Stripe customer."""
    customer = customer or f"cus_{distinct_id}"
    StripeCustomer.objects.get_or_create(
        customer_id=customer, defaults={"distinct_id_id": distinct_id}
    )
    return CashEntry.objects.create(
        stripe_id=f"in_{CashEntry.objects.count()}",
        customer_id=customer,
        kind=kind,
        happened_at=at,
        amount=amount,
        currency="usd",
    )


def refer(distinct_id="bob", *, code="ADA", proof=Proof.PROVED, used=True):
    """Let a person sign up with a code, pay, and use the product on another day."""
    store(signup(distinct_id, code=code, proof=proof))
    if used:
        store(
            record("workflow_created", distinct_id, NOON + timedelta(hours=1)),
            record("used", distinct_id, NOON + 3 * DAY, proof=Proof.PROVED),
        )
    pay(distinct_id)


def states():
    """Return the state of each reward, by the referred id."""
    return {
        referred: RewardState(state)
        for referred, state in ReferralReward.objects.values_list("referred_id", "state")
    }


def make(now=PAID_AT):
    rewards.claim_all()
    rewards.settle_all(now=now)
    return states()

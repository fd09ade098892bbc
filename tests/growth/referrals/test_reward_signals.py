"""What makes a reward wait for a review, with its innocent relatives."""

import pytest

from analytics.calculations.records import Proof
from analytics.models import Event, Person
from billing.models import StripeCustomer
from billing.stripe import gateway
from growth.calculations.reward import RewardState, Signal
from growth.models import ReferralReward
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.growth.referrals.paying import LATER, make, refer
from tests.growth.referrals.referring import DAY, store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("offer")]


def signals(now=LATER):
    make(now)
    reward = ReferralReward.objects.get()
    assert reward.state == (RewardState.REVIEW if reward.signals else RewardState.DUE)
    return [Signal(value) for value in reward.signals]


def has(distinct_id, **properties):
    store(record("$set", distinct_id, NOON, properties={"$set": properties}))


def used_device(distinct_id, device):
    properties = {"$device_id": device, "text": "x" * 100_000}  # S04: it is not read
    store(record("used", distinct_id, NOON + 3 * DAY, properties=properties))
    Event.objects.update(properties={})


def paid_with(distinct_id, card):
    """Store a charge of the person's customer as Stripe sends it."""
    charge = {
        "id": f"ch_{distinct_id}",
        "object": "charge",
        "customer": f"cus_{distinct_id}",
        "created": 1714564800,
        "amount": 2000,
        "currency": "usd",
        "status": "succeeded",
        "payment_method_details": {"type": "card", "card": {"fingerprint": card}},
    }
    gateway.store(charge, as_of=NOON)


def link(distinct_id):
    customer = {"id": f"cus_{distinct_id}", "object": "customer", "created": 1714564800}
    gateway.store(customer | {"email": None, "metadata": {}}, as_of=NOON)
    StripeCustomer.objects.get_or_create(
        customer_id=customer["id"], defaults={"distinct_id_id": distinct_id}
    )


def test_nothing_is_suspicious_about_a_used_account_that_the_backend_named():
    refer()
    has("ada", email="ada@example.com")
    has("bob", email="bob@example.com")
    assert signals() == []


def test_p95_a_code_that_is_only_claimed_needs_a_review():
    refer(proof=Proof.CLAIMED)
    store(record("used", "bob", NOON + 4 * DAY, proof=Proof.PROVED))
    assert signals() == [Signal.CLAIMED]


def test_p95_an_activation_that_is_never_followed_by_use_needs_a_review():
    refer(used=False)
    store(record("workflow_created", "bob", NOON + DAY))
    assert signals() == [Signal.IDLE]


def test_p95_an_account_that_is_never_used_after_its_signup_needs_a_review():
    refer(used=False)
    assert signals() == [Signal.IDLE]


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("ada@example.com", "ADA@example.com"),
        ("ada@example.com", "ada+2@example.com"),
        ("a.da@gmail.com", "ad.a+x@googlemail.com"),
    ],
)
def test_the_same_mailbox_needs_a_review(own, theirs):
    refer()
    has("ada", email=own)
    has("bob", email=theirs)
    assert signals() == [Signal.ADDRESS]


@pytest.mark.parametrize("addresses", [("ada@a.example", "ada@b.example"), (None, None), ("", "")])
def test_other_mailboxes_or_none_are_not_suspicious(addresses):
    refer()
    for who, address in zip(("ada", "bob"), addresses, strict=True):
        has(who, email=address)
    assert signals() == []


@pytest.mark.parametrize(("device", "expected"), [("d1", [Signal.DEVICE]), ("d2", [])])
def test_the_same_device_needs_a_review(device, expected):
    refer()
    used_device("ada", "d1")
    used_device("bob", device)
    assert signals() == expected


@pytest.mark.parametrize(("card", "expected"), [("c1", [Signal.CARD]), ("c2", [])])
def test_the_same_card_at_stripe_needs_a_review(card, expected):
    refer()
    for who, own in (("ada", "c1"), ("bob", card)):
        link(who)
        paid_with(who, own)
    assert signals() == expected


def test_persons_that_turn_out_to_be_the_same_need_a_review():
    refer()
    make()
    store(record("$merge_dangerously", "ada", NOON, other_id="bob", proof=Proof.PROVED))
    assert Signal.SELF in signals()


@pytest.mark.parametrize("who", ["ada", "bob"])
def test_a_referral_of_a_person_who_is_excluded_meanwhile_needs_a_review(who):
    refer()
    make()
    Person.objects.filter(distinct_ids__distinct_id=who).update(excluded=True)
    assert signals() == [Signal.GONE]


def test_a_late_signup_that_names_another_code_needs_a_review():
    refer()
    make()
    referring.create_inviter("eve", "EVE")
    store(referring.signup("bob", NOON - DAY / 2, code="EVE", proof=Proof.PROVED))
    assert signals() == [Signal.GONE]

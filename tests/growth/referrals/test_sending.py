"""Sending rewards: signed, retried with the same key, through the guard."""

import hashlib
import hmac
from datetime import timedelta

import msgspec
import pytest

from growth.calculations.reward import RewardState
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import sending
from tests.growth.referrals.paying import LATER, make, refer, states

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def _due(offer, web_hook):
    offer.webhook_url = f"http://{web_hook.address}/rewards"
    offer.save()
    refer()
    make(LATER)


@pytest.mark.usefixtures("_due")
def test_a_due_reward_is_sent_once_and_names_both_people(web_hook):
    assert [sending.send_due(now=LATER), sending.send_due(now=LATER + MINUTE)] == [1, 0]
    assert states() == {"bob": RewardState.SENT}
    (body,) = web_hook.posted
    assert (body["inviter"], body["referred"], body["milestone"]) == ("ada", "bob", "paid")


@pytest.mark.usefixtures("_due")
def test_the_signature_is_an_hmac_of_time_and_body():
    offer, body = ReferralProgram.objects.get(), b"{}"
    header = dict(part.split("=") for part in sending.signature(offer, body, at=LATER).split(","))
    signed = f"{header['t']}.".encode() + body
    key = sending.secret_of(offer).encode()
    assert header["v1"] == hmac.new(key, signed, hashlib.sha256).hexdigest()


def test_after_a_new_secret_key_both_signatures_are_sent(settings, offer):
    before = sending.secret_of(offer)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "x" * 50
    assert sending.signature(offer, b"", at=LATER).count("v1=") == 2
    assert sending.secret_of(offer) != before


@pytest.mark.usefixtures("_due")
def test_a_failure_is_retried_with_the_same_body_after_a_growing_wait(web_hook):
    web_hook.status = 500
    sending.send_due(now=LATER)
    reward = ReferralReward.objects.get()
    assert (reward.failures, reward.last_error) == (1, "The service responded with 500.")
    assert sending.send_due(now=LATER + MINUTE / 2) == 0
    web_hook.status = 200
    assert sending.send_due(now=LATER + MINUTE) == 1
    assert web_hook.posted[0] == web_hook.posted[1] == msgspec.json.decode(sending.body_of(reward))


@pytest.mark.usefixtures("_due")
def test_a_private_address_is_refused_by_the_guard(settings, web_hook):
    settings.PLUMBLINE_ALLOWED_NETWORKS = []
    sending.send_due(now=LATER)
    assert web_hook.posted == []
    assert "TLS" in ReferralReward.objects.get().last_error


@pytest.mark.usefixtures("_due")
def test_a_process_that_dies_while_sending_leaves_it_to_the_next_after_the_lease(web_hook):
    ReferralReward.objects.update(next_attempt_at=LATER + sending.LEASE)
    assert sending.send_due(now=LATER) == 0
    assert sending.send_due(now=LATER + sending.LEASE) == 1
    assert len(web_hook.posted) == 1


@pytest.mark.usefixtures("_due")
@pytest.mark.parametrize("state", ["held", "review", "reversed", "refused", "capped", "sent"])
def test_only_what_is_due_is_sent(web_hook, state):
    ReferralReward.objects.update(state=state)
    assert (sending.send_due(now=LATER + MINUTE), web_hook.posted) == (0, [])

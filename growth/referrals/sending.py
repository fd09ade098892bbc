"""Send due rewards, with the reward's id as key.

To the company's backend: signed, at least once. As a coupon to the inviter's subscription: once.
"""

import hashlib
import hmac
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from billing.stripe import coupons
from common.calculations.backoff import backoff
from common.claims import is_over
from common.outgoing import GuardedSession, NoResponse
from growth.calculations.reward import RewardKind, RewardState
from growth.models import ReferralProgram, ReferralReward

LEASE = timedelta(minutes=2)  # longer than a request takes
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=12)
_PURPOSE = "plumbline.referral_webhook"


def send_due(*, now: datetime) -> int:
    """Send what is due, and return how many were accepted; each is claimed before it is sent."""
    due = ReferralReward.objects.filter(
        is_over("next_attempt_at", now, longest=LONGEST_WAIT),
        state=RewardState.DUE,
        program__reward__in=[RewardKind.WEBHOOK, RewardKind.COUPON],
    )
    ids = list(due.order_by("next_attempt_at").values_list("pk", flat=True))
    sent = 0
    for reward_id in ids:
        # Only the process whose update changes the row owns it.
        if due.filter(pk=reward_id).update(next_attempt_at=now + LEASE):
            sent += _send(reward_id, now=now)
    return sent


def _send(reward_id: UUID, *, now: datetime) -> bool:
    rows = ReferralReward.objects.select_related("program", "code__distinct_id__person")
    reward = rows.filter(pk=reward_id).first()
    if reward is None:  # its person was erased meanwhile
        return False
    is_coupon = reward.program.reward == RewardKind.COUPON
    problem = _give_coupon(reward) if is_coupon else _post(reward, now=now)
    own = ReferralReward.objects.filter(pk=reward.pk, state=RewardState.DUE)
    if problem:
        wait = backoff(reward.failures + 1, first=FIRST_WAIT, longest=LONGEST_WAIT)
        own.update(failures=F("failures") + 1, next_attempt_at=now + wait, last_error=problem)
        return False
    return bool(own.update(state=RewardState.SENT, sent_at=now, last_error=""))


def _give_coupon(reward: ReferralReward) -> str:
    """Give the inviter the coupon; return what was in the way, "" for nothing."""
    try:
        coupons.give(reward.code.distinct_id.person, reward.program.coupon, gift=reward.pk)
    except coupons.CouponRefused as refused:
        return str(refused)
    return ""


def _post(reward: ReferralReward, *, now: datetime) -> str:
    """Post the reward to the webhook; return what was in the way, "" for nothing."""
    body = body_of(reward)
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(reward.pk),
        "Plumbline-Signature": signature(reward.program, body, at=now),
    }
    with GuardedSession() as session, suppress(NoResponse):  # the session says why
        session.post(reward.program.webhook_url, data=body, headers=headers)
    return session.problem


def body_of(reward: ReferralReward) -> bytes:
    """Return what is sent: the same bytes at every attempt."""
    return msgspec.json.encode(
        {
            "id": str(reward.pk),
            "type": "referral.reward",
            "program": reward.program.slug,
            "milestone": reward.milestone,
            "code": reward.code_id,
            "inviter": reward.code.distinct_id_id,
            "referred": reward.referred_id,
            "paid_at": reward.paid_at,
        }
    )


def signature(offer: ReferralProgram, body: bytes, *, at: datetime) -> str:
    """Return the header's value: `t` and an HMAC-SHA256 over the time, a point and the body.

    After SECRET_KEY was replaced there is one for each key, so that the receiver can follow later.
    """
    moment = int(at.timestamp())
    signed = f"{moment}.".encode() + body
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    values = [
        hmac.new(_secret(offer, key).encode(), signed, hashlib.sha256).hexdigest() for key in keys
    ]
    return ",".join([f"t={moment}", *(f"v1={value}" for value in values)])


def secret_of(offer: ReferralProgram) -> str:
    """Return the secret with which the receiver checks signatures: 64 hexadecimal digits."""
    return _secret(offer, settings.SECRET_KEY)


def _secret(offer: ReferralProgram, secret_key: str) -> str:
    return salted_hmac(_PURPOSE, offer.salt, secret=secret_key, algorithm="sha256").hexdigest()

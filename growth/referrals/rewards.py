"""Rewards of inviters: each at most once, held, then due, unless something is suspicious.

The milestone is proved by Stripe: a paid invoice of a customer that is linked to the referred
person. A referral whose code is only claimed still needs a review: everyone who reads the public
key can claim to have invited anyone.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from billing.calculations.cash import CashKind
from common.locks import Lock, lock_shared, locked_cursor
from common.postgres import raw_cursor
from growth.calculations.reward import COUNTED_STATES, Milestone, RewardKind, RewardState
from growth.models import Referral, ReferralReward
from growth.referrals import parties, referred

OPEN_STATES = (RewardState.HELD, RewardState.REVIEW, RewardState.DUE)

# The first payment of each referred person without a reward; a payment before the click, or before
# what is proved, is one of a customer who existed before.
_PAID = """
    SELECT referral.distinct_id, min(cash.happened_at)
    FROM growth_referral AS referral
    JOIN growth_referralcode AS code USING (code)
    JOIN growth_referralprogram AS program ON program.id = program_id
    JOIN analytics_distinctid AS named ON named.distinct_id = referral.distinct_id
    JOIN analytics_distinctid AS own ON own.person_id = named.person_id
    JOIN billing_stripecustomer AS customer ON customer.distinct_id = own.distinct_id
    JOIN billing_cashentry AS cash ON cash.customer_id = customer.customer_id
    WHERE reward <> %s AND kind = %s AND amount > 0 AND NOT EXISTS (
        SELECT FROM growth_referralreward AS earlier
        JOIN analytics_distinctid AS rewarded ON rewarded.distinct_id = referred
        WHERE rewarded.person_id = named.person_id AND earlier.program_id = code.program_id
    )
    GROUP BY referral.distinct_id
    HAVING min(cash.happened_at) >= coalesce(referral.proved_since, referral.clicked_at)
"""
_RETURNED = """
    SELECT reward.id
    FROM growth_referralreward AS reward
    JOIN analytics_distinctid AS rewarded ON rewarded.distinct_id = referred
    JOIN analytics_distinctid AS own ON own.person_id = rewarded.person_id
    JOIN billing_stripecustomer AS customer ON customer.distinct_id = own.distinct_id
    JOIN billing_cashentry AS cash ON cash.customer_id = customer.customer_id
    WHERE state = ANY(%s) AND kind <> %s AND happened_at BETWEEN paid_at AND held_until
        AND reward.id = coalesce(%s, reward.id)
"""


class NotOpen(Exception):
    """The reward is no longer in a state in which staff decides about it."""


def claim_all() -> int:
    """Make a reward for each referral that counts and has been paid for; return their number."""
    return sum(claim(referral, paid_at) is not None for referral, paid_at in _paid())


def _paid() -> Iterator[tuple[Referral, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(_PAID, [RewardKind.NONE, CashKind.PAYMENT])
        paid_at = dict(cursor.fetchall())
    for referral in referred.earning().filter(pk__in=paid_at).order_by("signed_up_at", "pk"):
        yield referral, paid_at[referral.pk]


@transaction.atomic
def claim(referral: Referral, paid_at: datetime) -> ReferralReward | None:
    """Make the reward for a referred person, unless there is one; claims at once make one."""
    lock_shared(raw_cursor(), Lock.IDENTITY)  # persons are not merged meanwhile
    locked_cursor(Lock.REFERRAL_REWARDS)
    rows = referred.earning().select_related("code__program", "code__distinct_id", "distinct_id")
    current = rows.filter(pk=referral.pk, code=referral.code_id).first()
    if current is None:  # it changed while this waited
        return None
    offer = current.code.program
    earlier = ReferralReward.objects.filter(program=offer, milestone=Milestone.PAID)
    if earlier.filter(referred__person=current.distinct_id.person_id).exists():
        return None
    return ReferralReward.objects.create(
        program=offer,
        code=current.code,
        referred_id=current.pk,
        milestone=Milestone.PAID,
        state=RewardState.HELD,
        paid_at=paid_at,
        held_until=paid_at + timedelta(days=offer.hold_days),
    )


def settle_all(*, now: datetime) -> int:
    """Reverse what was refunded, and let what was held long enough be due or reviewed."""
    held = ReferralReward.objects.filter(state=RewardState.HELD, held_until__lte=now)
    over = set(held.values_list("pk", flat=True))
    return sum(_settle(reward_id, now=now) for reward_id in sorted(over | _reversed()))


@transaction.atomic
def _settle(reward_id: UUID, *, now: datetime) -> bool:
    locked_cursor(Lock.REFERRAL_REWARDS)  # two rewards do not take the last place of a cap
    reward = ReferralReward.objects.select_for_update().filter(pk=reward_id).first()
    if reward is None or reward.state not in OPEN_STATES:  # erased, or settled, meanwhile
        return False
    if _reversed(reward_id):
        reward.state = RewardState.REVERSED
    elif reward.state == RewardState.HELD and reward.held_until <= now:
        reward.signals = [signal.value for signal in parties.signals_of(reward)]
        if reward.signals:
            reward.state = RewardState.REVIEW
        else:
            reward.state = RewardState.CAPPED if _has_enough(reward) else RewardState.DUE
        reward.next_attempt_at = now
    else:
        return False
    reward.save(update_fields=["state", "signals", "next_attempt_at"])
    return True


def _has_enough(reward: ReferralReward) -> bool:
    """Whether the inviter, with all codes, gets as many rewards as the program allows."""
    earned = ReferralReward.objects.filter(
        program=reward.program_id,
        code__distinct_id__person=reward.code.distinct_id.person_id,
        state__in=COUNTED_STATES,
    )
    return reward.program.cap is not None and earned.count() >= reward.program.cap


def _reversed(reward_id: UUID | None = None) -> set[UUID]:
    """Return the open rewards whose payment, or a later one, was returned while they were held."""
    with connection.cursor() as cursor:
        states = [state.value for state in OPEN_STATES]
        cursor.execute(_RETURNED, [states, CashKind.PAYMENT, reward_id])
        return {reward for (reward,) in cursor.fetchall()}


def release(reward: ReferralReward, *, by: str, reason: str, now: datetime) -> None:
    """Let a reviewed reward be sent; raise `NotOpen` if it is not under review."""
    _decide(
        reward, [RewardState.REVIEW], RewardState.DUE, by=by, reason=reason, next_attempt_at=now
    )


def refuse(reward: ReferralReward, *, by: str, reason: str) -> None:
    """Refuse a reward that is held or under review; raise `NotOpen` if it is neither."""
    before = [RewardState.HELD, RewardState.REVIEW]
    _decide(reward, before, RewardState.REFUSED, by=by, reason=reason)


def _decide(
    reward: ReferralReward,
    before: list[RewardState],
    after: RewardState,
    *,
    by: str,
    reason: str,
    **more: object,
) -> None:
    rows = ReferralReward.objects.filter(pk=reward.pk, state__in=before)
    if not rows.update(state=after, decided_by=by, reason=reason, **more):
        raise NotOpen("This reward was decided meanwhile.")

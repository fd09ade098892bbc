"""The demo company's marketing spend, and its referrals, imported and derived in the usual way."""

import io
from datetime import datetime, timedelta

import msgspec

from analytics.ingestion.importing import import_stream
from analytics.models import Person
from growth.calculations.demo_referrals import (
    SIGNUP_URL,
    DemoReferrals,
    DemoSignup,
    demo_referrals,
)
from growth.calculations.reward import RewardKind, RewardState
from growth.models import ReferralCode, ReferralProgram, ReferralReward
from growth.referrals import attribution, rewards
from growth.spend import demo_spend

FILE_NAME = "demo-referrals.jsonl"
SLUG = "demo"
# A name that never resolves, so that what the demo sends reaches no other server.
_WEBHOOK = "https://rewards.invalid/"
_REVIEWED_AFTER = timedelta(days=21)


def load(*, until: datetime, seed: int) -> int:
    """Enter spend, and let people of the demo invite others; return the number of referrals."""
    demo_spend.load(until=until, seed=seed)
    referrals = demo_referrals(_people(), seed=seed)
    if not referrals.codes:
        return 0
    _create_codes(referrals)
    lines = b"\n".join(map(msgspec.json.encode, referrals.events))
    import_stream(io.BytesIO(lines), name=FILE_NAME, is_demo=True)
    attribution.update_many()
    rewards.claim_all()
    rewards.settle_all(now=until)
    _review_earlier(until)
    return len(referrals.events)


def clear() -> None:
    """Remove the spend and the program, after the persons, with whom everything else went."""
    demo_spend.clear()
    ReferralProgram.objects.filter(slug=SLUG, codes=None).delete()


def _people() -> list[DemoSignup]:
    rows = Person.objects.filter(is_demo=True, signup_at__isnull=False)
    values = rows.values_list(
        "distinct_ids__distinct_id", "signup_at", "activated_at", "properties__channel"
    )
    return [
        DemoSignup(distinct_id, signup_at, activated_at, channel or "")
        for distinct_id, signup_at, activated_at, channel in values
        if signup_at
    ]


def _create_codes(referrals: DemoReferrals) -> None:
    offer, _ = ReferralProgram.objects.get_or_create(
        slug=SLUG,
        defaults={
            "name": "Bring a friend (demo)",
            "signup_url": SIGNUP_URL,
            "reward": RewardKind.WEBHOOK,
            "webhook_url": _WEBHOOK,
        },
    )
    signups = {person.distinct_id: person.signup_at for person in _people()}
    ReferralCode.objects.bulk_create(
        ReferralCode(code=code, program=offer, distinct_id_id=inviter, created_at=signups[inviter])
        for inviter, code in referrals.codes.items()
    )


def _review_earlier(until: datetime) -> None:
    """Let staff have reviewed all but the latest rewards."""
    open_rewards = ReferralReward.objects.filter(
        program__slug=SLUG, state=RewardState.REVIEW, paid_at__lt=until - _REVIEWED_AFTER
    )
    open_rewards.update(
        state=RewardState.SENT, decided_by="demo", reason="Known customer", sent_at=until
    )

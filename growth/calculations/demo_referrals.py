"""Who brought whom in the demo company. Seeded: the same people give the same referrals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

SIGNUP_URL = "https://demo.example/signup"
_CHANNEL = "referral"
_INVITES_FOR = timedelta(days=45)  # after the inviter's own signup
_OPEN_BUT_LEAVE = 1.4  # visitors per person who signs up


@dataclass(frozen=True, slots=True)
class DemoSignup:
    distinct_id: str
    signup_at: datetime
    activated_at: datetime | None
    channel: str


@dataclass(frozen=True, slots=True)
class DemoReferrals:
    """The code of each inviter, by distinct id, and the visits of their links."""

    codes: dict[str, str]
    events: list[dict[str, Any]]


def demo_referrals(people: Sequence[DemoSignup], *, seed: int) -> DemoReferrals:
    """Let people who came by a referral have been brought by someone who activated before."""
    random = Random(seed)  # noqa: S311
    ordered = sorted(people, key=lambda person: (person.signup_at, person.distinct_id))
    codes: dict[str, str] = {}
    events: list[dict[str, Any]] = []
    for position, person in enumerate(ordered):
        inviters = [*_inviters(ordered[:position], person)]
        if person.channel != _CHANNEL or not inviters:
            continue
        inviter = random.choice(inviters)
        code = codes.setdefault(inviter.distinct_id, f"DEMO-{len(codes) + 1:04d}")
        clicked_at = person.signup_at - timedelta(minutes=random.uniform(1, 30))
        named = {"$set_once": {"referral_code": code}}
        events.append(_visit(person.distinct_id, code, clicked_at, named))
        for _ in range(int(random.expovariate(1 / _OPEN_BUT_LEAVE))):
            moment = clicked_at + timedelta(minutes=random.uniform(-600, 0))
            visitor = f"demo-visitor-{len(events):05d}"
            events.append(_visit(visitor, code, moment, {"$process_person_profile": False}))
    return DemoReferrals(codes, events)


def _inviters(earlier: Sequence[DemoSignup], person: DemoSignup) -> Iterator[DemoSignup]:
    for other in reversed(earlier):
        if other.signup_at < person.signup_at - _INVITES_FOR:
            return
        if other.activated_at and other.activated_at < person.signup_at - timedelta(hours=1):
            yield other


def _visit(
    distinct_id: str, code: str, moment: datetime, properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "event": "$pageview",
        "distinct_id": distinct_id,
        "timestamp": moment.isoformat(),
        "properties": {"$current_url": f"{SIGNUP_URL}?ref={code}", **properties},
    }

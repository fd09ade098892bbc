"""Everything that happens to referrals in the background, in its order."""

from dataclasses import dataclass
from datetime import datetime

from growth.referrals import attribution, rewards, sending


@dataclass(frozen=True, slots=True)
class Run:
    """How many persons were read, and rewards made, settled and sent."""

    persons: int
    made: int
    settled: int
    sent: int


def run(*, now: datetime) -> Run:
    """Derive referrals, then make, settle and send rewards. Any number may run at once."""
    return Run(
        persons=attribution.update(),
        made=rewards.claim_all(),
        settled=rewards.settle_all(now=now),
        sent=sending.send_due(now=now),
    )

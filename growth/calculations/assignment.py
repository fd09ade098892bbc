"""Which arm of an experiment a person is in: a keyed hash, the same every time it is computed."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

HOLDOUT = "holdout"
_BITS = 53  # as many as a float holds exactly


def experiment_key(secret: bytes, experiment: str) -> bytes:
    """Return the key of a campaign, a step or a placebo: shares under two keys are independent."""
    return hmac.digest(secret, b"plumbline.experiment\0" + experiment.encode(), "sha256")


def global_holdout_key(secret: bytes) -> bytes:
    """Return the key of the holdout that gets no marketing, independent of every experiment's."""
    return hmac.digest(secret, b"plumbline.global_holdout", "sha256")


def share(key: bytes, person: str) -> float:
    """Return a person's share in [0, 1), uniform over persons, which only the key can predict."""
    digest = hmac.digest(key, person.encode(), "sha256")
    return (int.from_bytes(digest[:8], "big") >> 64 - _BITS) / (1 << _BITS)


@dataclass(frozen=True, slots=True)
class ArmSplit:
    """The planned arms: a holdout's share of 0 to below 1; the rest by the variants' weights."""

    holdout: float
    variants: Mapping[str, int]

    def __post_init__(self) -> None:
        if not 0 <= self.holdout < 1:
            raise ValueError(f"A holdout of {self.holdout} is not a share from 0 to below 1.")
        if not self.variants or HOLDOUT in self.variants or min(self.variants.values()) < 1:
            raise ValueError(f"{dict(self.variants)} are not variants with weights of 1 or more.")

    @property
    def shares(self) -> dict[str, float]:
        """The planned share of every arm, the holdout first; they add up to 1."""
        rest, weights = 1 - self.holdout, sum(self.variants.values())
        return {HOLDOUT: self.holdout} | {
            variant: rest * weight / weights for variant, weight in self.variants.items()
        }

    def arm(self, share: float) -> str:
        """Return the arm at a person's share: the holdout has the lowest shares."""
        shares = self.shares
        ends = zip(shares, accumulate(shares.values()), strict=True)
        return next((arm for arm, end in ends if share < end), [*shares][-1])

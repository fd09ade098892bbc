"""Whether the arms are as large as planned; if not, something else than chance formed them."""

from collections.abc import Mapping
from dataclasses import dataclass

from growth.calculations.tails import chi_square_tail

SUSPICIOUS = 0.001  # p-values below it stop the verdict


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Persons assigned to each arm, and how likely sizes at least as far from the plan are.

    `contaminated` persons were in several arms before their ids were merged; each counts in the
    arm that it was assigned to first.
    """

    assigned: Mapping[str, int]
    planned: Mapping[str, float]
    p_value: float
    contaminated: int = 0

    @property
    def is_as_planned(self) -> bool:
        return self.p_value >= SUSPICIOUS


def sample_ratio(
    assigned: Mapping[str, int], planned: Mapping[str, float], contaminated: int = 0
) -> SampleRatio:
    """Compare the sizes with the planned shares, arms with a share of 0 included.

    Raises ValueError if the arms are not the same.
    """
    if assigned.keys() != planned.keys():
        raise ValueError(f"Arms {sorted(assigned)} are not those planned: {sorted(planned)}.")
    return SampleRatio(assigned, planned, _p_value(assigned, planned), contaminated)


def _p_value(assigned: Mapping[str, int], planned: Mapping[str, float]) -> float:
    total = sum(assigned.values())
    expected = {arm: total * part for arm, part in planned.items() if part > 0}
    if any(assigned[arm] for arm in planned.keys() - expected.keys()):
        return 0.0
    if not total or len(expected) < 2:
        return 1.0
    value = sum((assigned[arm] - size) ** 2 / size for arm, size in expected.items())
    return chi_square_tail(value, len(expected) - 1)

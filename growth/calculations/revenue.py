"""The effect on revenue per person assigned, where a few large payers must not decide it.

The amounts of payers are capped once, at the 99th percentile of the payers of both arms together: a
cap per arm would move with the effect, and one over the zeros of all who did not pay would cut
ordinary buyers. Both versions are returned; the verdict is that of the capped amounts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from growth.calculations import sufficiency
from growth.calculations.arms import amounts_arm
from growth.calculations.randomisation import randomisation_p
from growth.calculations.readings import (
    EffectPlan,
    EffectProgress,
    EffectReading,
    ReadingKind,
    interval_at,
    judged,
)

CAP = 0.99  # the percentile of the payers of both arms


@dataclass(frozen=True, slots=True)
class Payments:
    """An arm's persons assigned, and what each of its payers paid in the window, in minor units."""

    persons: int
    amounts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RevenueEffect:
    """The reading that counts, the same without a cap, and the cap in minor units (None: empty)."""

    capped: EffectReading
    uncapped: EffectReading
    cap: int | None


def revenue_effect(
    treated: Payments, holdout: Payments, plan: EffectPlan, progress: EffectProgress, *, seed: int
) -> RevenueEffect:
    """Read the effect on revenue; `seed` makes the randomisation repeatable."""
    cap = pooled_cap(treated.amounts, holdout.amounts)
    return RevenueEffect(
        capped=_reading(_capped(treated, cap), _capped(holdout, cap), plan, progress, seed),
        uncapped=_reading(treated, holdout, plan, progress, seed),
        cap=cap,
    )


def pooled_cap(treated: NDArray[np.int64], holdout: NDArray[np.int64]) -> int | None:
    """Return the 99th percentile of the payers of both arms, in whole minor units."""
    amounts = np.concatenate([treated, holdout])
    return int(np.quantile(amounts, CAP)) if len(amounts) else None


def _capped(payments: Payments, cap: int | None) -> Payments:
    amounts = payments.amounts if cap is None else np.minimum(payments.amounts, cap)
    return Payments(payments.persons, amounts)


def _reading(
    treated: Payments, holdout: Payments, plan: EffectPlan, progress: EffectProgress, seed: int
) -> EffectReading:
    arms = (
        amounts_arm(treated.persons, treated.amounts),
        amounts_arm(holdout.persons, holdout.amounts),
    )
    kind = plan.kind(progress.day)
    is_final = kind is ReadingKind.FINAL
    minimum = sufficiency.REVENUE if is_final else sufficiency.REVENUE_BURN_IN
    interval = interval_at(*arms, plan, kind, minimum)
    p_value = None
    if is_final and interval is not None:
        sizes = (treated.persons, holdout.persons)
        p_value = randomisation_p(treated.amounts, holdout.amounts, sizes, seed=seed)
    reading = EffectReading(kind, *arms, interval, p_value=p_value)
    return judged(reading, plan, progress, minimum)

"""A p-value from nothing but the random assignment: how often does chance do as much?"""

from typing import Any

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

DRAWS = 2_000
_CELLS = 4_000_000  # of a chunk: about 4 MB of labels


def randomisation_p(
    treated: NDArray[Any],
    holdout: NDArray[Any],
    sizes: tuple[int, int],
    *,
    seed: int,
    draws: int = DRAWS,
    tie: float | None = None,
) -> float:
    """Return the two-sided p-value of the difference in amount per person.

    `treated` and `holdout` are the whole amounts of those who have any, `sizes` the persons
    assigned to each. The arms are drawn again `draws` times. Outcomes equal to the real one count
    as more extreme, which never claims too much; with a random number from 0 to 1 as `tie` only
    that part of them, which makes the p-value exactly uniform where there is no effect.
    """
    amounts = np.concatenate([treated, holdout]).astype(float)
    sums = _treated_sums(amounts, sizes, default_rng(seed), draws)
    seen = float(treated.sum())
    equal = 1 + np.count_nonzero(sums == seen)
    above, below = np.count_nonzero(sums > seen), np.count_nonzero(sums < seen)
    upper_tie, lower_tie = (1.0, 1.0) if tie is None else (tie, 1 - tie)
    smaller = min(above + upper_tie * equal, below + lower_tie * equal)
    return float(min(1.0, 2 * smaller / (draws + 1)))


def _treated_sums(
    amounts: NDArray[np.float64], sizes: tuple[int, int], rng: Generator, draws: int
) -> NDArray[np.float64]:
    """Return the treated arm's sum for each draw of who is treated, exact for whole amounts."""
    payers: NDArray[np.int64] = rng.hypergeometric(*sizes, len(amounts), size=draws)
    if not len(amounts) or (amounts == amounts[0]).all():
        return payers * np.float64(amounts[:1].sum())
    step = max(1, _CELLS // len(amounts))
    return np.concatenate(
        [_chunk(amounts, payers[start : start + step], rng) for start in range(0, draws, step)]
    )


def _chunk(
    amounts: NDArray[np.float64], payers: NDArray[np.int64], rng: Generator
) -> NDArray[np.float64]:
    labels = np.arange(len(amounts)) < payers[:, None]
    sums: NDArray[np.float64] = rng.permuted(labels, axis=1) @ amounts
    return sums

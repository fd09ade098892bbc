"""Tails of two distributions, which would cost a process SciPy otherwise: 0.4 s and 28 MB."""

from math import erfc, exp, pi, sqrt


def chi_square_tail(value: float, degrees: int) -> float:
    """Return the probability of a chi-square above the value, for whole degrees of freedom."""
    half, odd = value / 2, degrees % 2
    tail = erfc(sqrt(half)) if odd else 0.0
    term = exp(-half) * (2 * sqrt(half / pi) if odd else 1)
    for step in range(degrees // 2):
        tail += term
        term *= half / (step + (1.5 if odd else 1))
    return tail


def kolmogorov_tail(distance: float, size: int) -> float:
    """Return the p-value of a sample's largest distance from its distribution (Stephens, 1970)."""
    root = sqrt(size)
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # the series needs many terms, and the probability is 1 to 12 digits
        return 1.0
    terms = [exp(-2 * (k * scaled) ** 2) for k in range(1, 101)]
    return min(1.0, max(0.0, 2 * (sum(terms[::2]) - sum(terms[1::2]))))

"""How often more spikes reach a core in one tick than its queue holds."""

from __future__ import annotations

from math import exp, lgamma, log


def poisson_tail(mean: float, depth: int) -> float:
    """Return P(X > depth) of a Poisson number X with ``mean``: sum over k > depth of mean^k exp(-mean) / k!.

    The shorter of the two sums is taken, so that small tails keep their digits.
    """
    if mean <= 0:
        return 0.0
    if depth < mean:
        return max(0.0, 1.0 - sum(_chance(mean, k) for k in range(depth + 1)))
    total, k = 0.0, depth + 1
    while (part := _chance(mean, k)) > 1e-18 * total and part > 0:
        total, k = total + part, k + 1
    return total


def _chance(mean: float, k: int) -> float:
    return exp(k * log(mean) - mean - lgamma(k + 1))


def poisson_peak(mean: float, draws: float) -> int:
    """Return the number that one of ``draws`` independent Poisson numbers is expected to pass less than once."""
    if mean <= 0:
        return 0
    low, high = 0, max(1, int(mean))
    while poisson_tail(mean, high) * draws > 1:
        low, high = high, 2 * high + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if poisson_tail(mean, middle) * draws > 1 else (low, middle)
    return low

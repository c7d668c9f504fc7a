"""Statistics of spike trains, and whether two simulators agree in them.

Spikes are ``times`` (n_spikes,) in seconds from 0 and ``ids`` (n_spikes,), the neurons that fired, of ``n`` neurons
that were watched for ``duration_s``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan, exp, lgamma, pi, sqrt

import numpy as np

from eqspike.core.errors import ConfigError

Z_95 = 1.959964  # standard errors to either side that hold 95 % of a normal distribution
LEAST_SPIKES = 3  # of a neuron whose intervals count


def mean_rate(times: np.ndarray, ids: np.ndarray, n: int, duration_s: float) -> float:
    """Return the spikes per neuron and second."""
    return len(times) / (n * duration_s)


def interval_cv(times: np.ndarray, ids: np.ndarray, n: int, duration_s: float) -> float:
    """Return the coefficient of variation of inter-spike intervals, std / mean, averaged over neurons.

    A neuron counts if it fired at least 3 times: 2 intervals. A neuron seen for a short while shows too few of its long
    intervals, so values of different durations do not compare.

    Returns
    -------
    float
        1 for long Poisson trains, 0 for regular ones, nan where no neuron fired often enough.
    """
    order = np.lexsort((times, ids))
    ids, intervals = np.asarray(ids)[order], np.diff(np.asarray(times, np.float64)[order])
    own = ids[1:] == ids[:-1]
    neuron, intervals = ids[1:][own], intervals[own]
    number = np.bincount(neuron, minlength=n)
    counted = number >= LEAST_SPIKES - 1
    if not counted.any():
        return float("nan")
    number = np.maximum(number, 1)
    mean = np.bincount(neuron, intervals, minlength=n) / number
    variance = np.bincount(neuron, (intervals - mean[neuron]) ** 2, minlength=n) / np.maximum(number - 1, 1)
    return float(np.mean(np.sqrt(variance[counted]) / mean[counted]))


def synchrony(times: np.ndarray, ids: np.ndarray, n: int, duration_s: float, *, bin_s: float = 3e-3) -> float:
    """Return the variance of the population's spike count in bins of ``bin_s`` over its mean.

    1 for independent Poisson trains, more the more neurons fire together (n r b (1 - r b) + ... of them all at once),
    less for regular trains out of step. The last bin counts if it is whole; nan without a spike.

    References
    ----------
    Potjans and Diesmann, Cereb. Cortex 24:785, 2014, doi:10.1093/cercor/bhs358 (bins of 3 ms).
    """
    bins = int(np.floor(duration_s / bin_s + 1e-9))
    if bins < 2:
        raise ConfigError(
            f"{duration_s} s hold {bins} bins of {bin_s} s.", field="bin_s", remedy="Watch longer, or bin finer."
        )
    place = np.floor(np.asarray(times, np.float64) / bin_s + 1e-9).astype(np.int64)
    counts = np.bincount(place[place < bins], minlength=bins)
    return float(counts.var(ddof=1) / counts.mean()) if counts.any() else float("nan")


@dataclass(frozen=True)
class Interval:
    """A mean over independent runs and the half width of its confidence interval."""

    mean: float
    half_width: float
    runs: int

    @property
    def low(self) -> float:
        """Its lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Its upper end."""
        return self.mean + self.half_width

    def overlaps(self, other: Interval) -> bool:
        """Return whether the two have a value in common."""
        return self.low <= other.high and other.low <= self.high


def confidence_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the mean of independent ``values`` with Student's interval, mean +- t_(m-1) s / sqrt(m).

    Raises
    ------
    ConfigError
        if there are fewer than two values, or one is not finite.
    """
    _check(values)
    m = len(values)
    quantile = student_quantile(level, m - 1)
    return Interval(float(np.mean(values)), quantile * float(np.std(values, ddof=1)) / sqrt(m), m)


@dataclass(frozen=True)
class Comparison:
    """The difference of two means with its confidence interval, and what it says.

    ``p_value`` of no difference (Welch's t-test); ``equivalent`` where two one-sided tests, each of the level, find the
    difference within +- ``margin``.
    """

    difference: Interval
    p_value: float
    margin: float
    equivalent: bool


def compare(ours: Sequence[float], theirs: Sequence[float], *, margin: float, level: float = 0.95) -> Comparison:
    """Compare the means of independent runs of two simulators.

    Parameters
    ----------
    margin : the largest difference of means that is none in practice, in the unit of the values.

    Raises
    ------
    ConfigError
        if a side has fewer than two values, or one is not finite.

    References
    ----------
    Welch, Biometrika 34:28, 1947, doi:10.1093/biomet/34.1-2.28;
    Schuirmann, J. Pharmacokinet. Biopharm. 15:657, 1987, doi:10.1007/BF01068419 (two one-sided tests).
    """
    _check(ours)
    _check(theirs)
    parts = [np.var(values, ddof=1) / len(values) for values in (ours, theirs)]
    error, difference = sqrt(sum(parts)), float(np.mean(ours) - np.mean(theirs))
    runs = min(len(ours), len(theirs))
    if error == 0:
        same = difference == 0
        return Comparison(Interval(difference, 0.0, runs), float(same), margin, abs(difference) < margin)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True)
    )
    half = error * student_quantile(level, freedom)
    narrow = error * student_quantile(2 * level - 1, freedom)
    p_value = 1 - student_within(abs(difference) / error, freedom)
    return Comparison(Interval(difference, half, runs), p_value, margin, abs(difference) + narrow < margin)


def student_within(t: float, freedom: float) -> float:
    r"""Return the probability that Student's T lies within +- t: with tan(x) = T / sqrt(nu) its density is cos^(nu-1).

    P = 2 Gamma((nu+1)/2) / (sqrt(pi) Gamma(nu/2)) int_0^atan(t/sqrt(nu)) cos(x)^(nu-1) dx
    """
    end = atan(t / sqrt(freedom))
    place, weight = _gauss()
    integral = 0.5 * end * float(weight @ np.cos(0.5 * end * (place + 1)) ** (freedom - 1))
    return min(1.0, 2 / sqrt(pi) * exp(lgamma(0.5 * freedom + 0.5) - lgamma(0.5 * freedom)) * integral)


@cache
def _gauss() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(64)


def student_quantile(level: float, freedom: float) -> float:
    """Return the t with which Student's T lies within +- t with probability ``level``, by bisection."""
    low, high = 0.0, 1.0
    while student_within(high, freedom) < level:
        high *= 2
    for _ in range(45):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if student_within(middle, freedom) < level else (low, middle)
    return high


def _check(values: Sequence[float]) -> None:
    if len(values) < 2 or not np.isfinite(values).all():
        raise ConfigError(
            f"{len(values)} runs, {np.isfinite(values).sum()} of them with a value, have no spread.",
            field="runs",
            remedy="Give at least two runs that fire.",
        )

"""A window of spike-timing-dependent plasticity as numbers: mean weight change against t_post - t_pre."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from eqspike.analysis.statistics import Z_95
from eqspike.analysis.stdp_measured import Comparison


@dataclass(frozen=True, eq=False)
class Curve:
    """A line to compare a window with.

    Parameters
    ----------
    kind : ``closed_form``, ``exact_slope``, ``pair_stdp`` or ``condition``.
    label : what a legend says of it.
    difference_s, values : (n,) t_post - t_pre in seconds and weight change.
    """

    kind: str
    label: str
    difference_s: np.ndarray
    values: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON types."""
        return {
            "kind": self.kind,
            "label": self.label,
            "difference_s": _listed(self.difference_s),
            "values": _listed(self.values),
        }


@dataclass(frozen=True)
class Crossing:
    """Where a window changes sign, in seconds, with its standard error."""

    difference_s: float
    standard_error_s: float


@dataclass(frozen=True, eq=False)
class StdpWindow:
    """Weight change against t_post - t_pre under one protocol.

    Parameters
    ----------
    protocol, rule : names of the protocol and of the plasticity rule.
    tick_s : seconds that one tick emulates.
    unit : what weight changes are measured in, as text for an axis.
    difference_s : (n_bins,) centres of the bins, seconds.
    mean, standard_error, count : (n_bins,) mean weight change of the pairs in a bin, its standard error over
        independent trials, and the number of pairs; mean and error are NaN in an empty bin.
    points_s, points : (n_points,) differences and weight changes of single pairs, a random subset of all.
    equation : what is drawn, in LaTeX without dollar signs.
    caption : what the window is and what it is not, in whole sentences.
    parameters : everything that the protocol was given.
    curves : lines to compare with.
    crossing : the zero crossing, where there is exactly one.
    lag_s : the derivative estimator's lag, where the rule has one.
    label : which pairs these are, where a protocol tells several kinds apart.
    measured : the comparison with measurements, where there are any.
    """

    protocol: str
    rule: str
    tick_s: float
    unit: str
    difference_s: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray
    count: np.ndarray
    points_s: np.ndarray
    points: np.ndarray
    equation: str
    caption: str
    parameters: dict[str, Any] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    crossing: Crossing | None = None
    lag_s: float | None = None
    label: str = ""
    measured: Comparison | None = None

    @property
    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the 95 % confidence interval of the mean, (n_bins,) each."""
        return self.mean - Z_95 * self.standard_error, self.mean + Z_95 * self.standard_error

    @property
    def closed_form(self) -> Curve | None:
        """The curve that the window has in theory, where it is known."""
        return self.curve("closed_form")

    @property
    def reference(self) -> Curve | None:
        """The window of pair-based STDP, unscaled."""
        return self.curve("pair_stdp")

    def curve(self, kind: str) -> Curve | None:
        """Return the first curve of ``kind``, None where there is none."""
        return next((curve for curve in self.curves if curve.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the window as plain JSON types, a stable form for scripts; single pairs are left out."""
        low, high = self.band
        crossing = self.crossing
        return {
            "protocol": self.protocol,
            "rule": self.rule,
            "label": self.label,
            "tick_s": self.tick_s,
            "unit": self.unit,
            "difference_s": _listed(self.difference_s),
            "mean": _listed(self.mean),
            "standard_error": _listed(self.standard_error),
            "low_95": _listed(low),
            "high_95": _listed(high),
            "count": [int(n) for n in self.count],
            "zero_crossing_s": None if crossing is None else crossing.difference_s,
            "zero_crossing_error_s": None if crossing is None else crossing.standard_error_s,
            "lag_s": self.lag_s,
            "equation": self.equation,
            "caption": self.caption,
            "parameters": self.parameters,
            "curves": [curve.to_dict() for curve in self.curves],
            "measured": None if self.measured is None else self.measured.to_dict(),
        }


@dataclass(frozen=True)
class Bins:
    """Bins of ``width`` ticks (odd), 2 ``half`` + 1 of them, one centred on zero."""

    width: int
    half: int

    @classmethod
    def within(cls, window: int, width: int) -> Self:
        """Return as many bins of ``width`` as lie within +- ``window`` ticks."""
        return cls(width, (window - width // 2) // width)

    @property
    def reach(self) -> int:
        """The largest difference of a bin, in ticks."""
        return self.half * self.width + self.width // 2

    @property
    def lags(self) -> np.ndarray:
        """Every difference in a bin, in ticks."""
        return np.arange(-self.reach, self.reach + 1)

    @property
    def centres(self) -> np.ndarray:
        """Middle of every bin, in ticks."""
        return np.arange(-self.half, self.half + 1) * self.width

    def merge(self, values: np.ndarray) -> np.ndarray:
        """Sum ``values`` (..., n_lags) within the bins, (..., n_bins)."""
        return values.reshape(*values.shape[:-1], 2 * self.half + 1, self.width).sum(-1)


def mean_with_covariance(sums: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over all pairs of each bin (n_bins,) and the covariance of these means (n_bins, n_bins).

    Pairs of one trial share its spikes, so trials, not pairs, are the independent draws: the mean is the ratio
    m = sum(S_k) / sum(N_k) of the trials' sums and counts; with residuals R_k = S_k - m N_k its covariance is
    n / (n - 1) sum(R_k R_k') / (sum(N_k) sum(N_k)').

    Parameters
    ----------
    sums, counts : (n_trials, n_bins) summed weight change and number of pairs.

    References
    ----------
    Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 6 (ratio estimators).
    """
    n, total = len(sums), counts.sum(0)
    filled = np.where(total > 0, total, np.nan)
    mean = sums.sum(0) / filled
    residual = sums - np.where(total > 0, mean, 0.0) * counts
    return mean, (residual.T @ residual) * (n / (n - 1)) / np.outer(filled, filled)


def find_crossing(difference_s: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> Crossing | None:
    """Return where the mean changes sign, if the bins that are surely not zero change it exactly once.

    A straight line a + b x is fitted by least squares through the change and the two nearest sure bins on each side;
    the crossing is -a / b.
    """
    error = np.sqrt(np.diag(covariance))
    sure = np.flatnonzero(np.abs(mean) > Z_95 * error)
    turns = np.flatnonzero(np.diff(np.sign(mean[sure])))
    if len(turns) != 1 or not np.all(error > 0):
        return None
    near = slice(max(0, sure[turns[0]] - 1), sure[turns[0] + 1] + 2)
    x = difference_s[near]
    fit = np.linalg.pinv(np.stack([np.ones_like(x), x], 1))
    offset, slope = fit @ mean[near]
    at = -offset / slope
    gradient = np.array([1.0, at]) @ fit
    return Crossing(float(at), float(np.sqrt(gradient @ covariance[near, near] @ gradient) / abs(slope)))


def closed_form_zero(window: StdpWindow) -> float:
    """Return where the closed form of a window last turns from depression to potentiation, in seconds; NaN if never."""
    curve = window.closed_form
    turns = [] if curve is None else np.flatnonzero((curve.values[:-1] < 0) & (curve.values[1:] >= 0))
    if not len(turns):
        return float("nan")
    pair = slice(turns[-1], turns[-1] + 2)
    return float(np.interp(0.0, curve.values[pair], curve.difference_s[pair]))


def _listed(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def time_unit(reach_s: float) -> tuple[float, str]:
    """Return (units per second, name) of the unit in which ``reach_s`` is best read: s, ms, µs or ns."""
    for factor, name in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if reach_s * factor >= 1:
            return factor, name
    return 1e9, "ns"


def spoken(seconds: float) -> str:
    """Return a duration as text, such as ``30 ms``."""
    factor, name = time_unit(abs(seconds))
    return f"{seconds * factor:.3g} {name}"

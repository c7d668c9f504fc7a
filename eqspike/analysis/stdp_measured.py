"""Measured weight changes beside a rule's, and how far the two agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from eqspike.analysis.statistics import Z_95


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measured weight changes of one protocol.

    Parameters
    ----------
    origin : where they are from, a file or a citation.
    coordinates : what was varied, by column name, (n,) each, in seconds and hertz.
    change : (n,) weight change relative to the weight before, 0.5 for half as much again.
    error : (n,) standard error of ``change``, or None.
    """

    origin: str
    coordinates: dict[str, np.ndarray]
    change: np.ndarray
    error: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Measurements and what a rule says at the same places.

    Parameters
    ----------
    predicted : (n,) the rule's weight changes, NaN where it was not asked.
    scale, scale_error : the one factor on ``predicted`` that fits best, by weighted least squares; None without any.
    free_scale : whether the rule's size is free, so that it is the scaled rule that is looked at.
    """

    measured: Measurements
    predicted: np.ndarray
    scale: float | None
    scale_error: float | None
    free_scale: bool

    @property
    def factor(self) -> float:
        """What the rule is multiplied by where it is drawn and judged."""
        return self.scale if self.free_scale and self.scale is not None else 1.0

    @property
    def rms(self) -> float | None:
        """Root mean square difference of the rule, times ``factor``, from the measurements."""
        residual = (self.factor * self.predicted - self.measured.change)[self._known]
        return float(np.sqrt(np.mean(residual**2))) if residual.size else None

    @property
    def chi_squared(self) -> float | None:
        """Mean squared difference in units of the measurements' errors; about 1 where the rule explains them."""
        if self.measured.error is None or not self._known.any():
            return None
        residual = (self.factor * self.predicted - self.measured.change) / self.measured.error
        return float(np.mean(residual[self._known] ** 2))

    @property
    def signs(self) -> tuple[int, int]:
        """How many of the changes that are surely not zero have the rule's sign, and how many such there are.

        Sure is a change beyond 1.96 of its errors, or any but zero where there are no errors.
        """
        error = 0.0 if self.measured.error is None else self.measured.error
        sure = self._known & (np.abs(self.measured.change) > Z_95 * error)
        agree = np.sign(self.factor * self.predicted) == np.sign(self.measured.change)
        return int((agree & sure).sum()), int(sure.sum())

    @property
    def _known(self) -> np.ndarray:
        return np.isfinite(self.predicted)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON types."""
        agree, sure = self.signs
        return {
            "data": self.measured.origin,
            **{name: values.tolist() for name, values in self.measured.coordinates.items()},
            "change": self.measured.change.tolist(),
            "error": None if self.measured.error is None else self.measured.error.tolist(),
            "predicted": [float(value) if np.isfinite(value) else None for value in self.predicted],
            "scale": self.scale,
            "scale_error": self.scale_error,
            "factor": self.factor,
            "rms": self.rms,
            "chi_squared": self.chi_squared,
            "signs_agree": agree,
            "signs_sure": sure,
        }


def compare_measured(measured: Measurements, predict: Callable[..., float], *, free_scale: bool = False) -> Comparison:
    """Ask a rule for its change at the place of every measurement: ``predict(**coordinates)``, one number each."""
    names = tuple(measured.coordinates)
    rows = zip(*measured.coordinates.values(), strict=True)
    asked: dict[tuple[float, ...], float] = {}
    for row in rows:
        if row not in asked:
            asked[row] = predict(**dict(zip(names, map(float, row), strict=True)))
    predicted = np.array([asked[row] for row in zip(*measured.coordinates.values(), strict=True)])
    scale, error = _scaled(measured, predicted)
    return Comparison(measured, predicted, scale, error, free_scale)


def _scaled(measured: Measurements, predicted: np.ndarray) -> tuple[float | None, float | None]:
    known = np.isfinite(predicted)
    model, change = predicted[known], measured.change[known]
    weight = np.ones(known.sum()) if measured.error is None else measured.error[known] ** -2.0
    size = float((weight * model**2).sum())
    if size == 0:
        return None, None
    scale = float((weight * model * change).sum() / size)
    if measured.error is not None:
        return scale, size**-0.5
    if len(model) < 2:
        return scale, None
    residual = float(((scale * model - change) ** 2).sum())
    return scale, (residual / (len(model) - 1) / size) ** 0.5

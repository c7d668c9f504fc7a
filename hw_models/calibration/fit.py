"""Least squares for unknown constants: energy is linear in them once the counts are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from hw_models.calibration.data import Measurement
from hw_models.chips import Chip
from hw_models.errors import ConstantError, WorkloadError
from hw_models.estimator import price
from hw_models.report.whatif import Formula
from hw_models.technology import Constant, Evidence

CONFIDENCE = 0.95
_COLLINEAR = 1e-7  # of the largest singular value, columns of unit length
_TAKES_PART = 0.05  # of the largest entry of the direction that the data leave open


@dataclass(frozen=True)
class Fitted:
    """One fitted constant with its 95 % interval, in its own unit; ``correlation`` with the others fitted."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    correlation: Mapping[str, float]


@dataclass(frozen=True)
class Fit:
    """Fitted constants; ``residual_rms`` is the root mean square of modelled / measured - 1.

    ``degrees_of_freedom``: measurements less constants.
    """

    chip: str
    constants: tuple[Fitted, ...]
    measurements: int
    degrees_of_freedom: int
    residual_rms: float
    worst_residual: float


def calibrate(chip: Chip, measurements: Sequence[Measurement], names: Iterable[str] | None = None) -> Fit:
    """Fit constants of ``chip`` to measured (counts, joules, seconds).

    Minimises sum_i (E_i(c) / E_i - 1)^2 over constants c >= 0, where E_i(c) is what :func:`hw_models.price` gives for
    measurement i. Intervals are those of linear least squares, +- t s sqrt((A^T A)^-1_kk) with Student's t, and end at
    zero.

    Parameters
    ----------
    chip : its other constants are taken as they are.
    measurements : more of them than constants.
    names : constants to fit; by default those graded unstated.

    Raises
    ------
    ConstantError
        If a name is unknown, two fitted constants multiply each other, or the data cannot tell constants apart.
    WorkloadError
        If there are too few measurements.
    """
    chosen = _chosen(chip, names)
    if len(measurements) <= len(chosen):
        raise WorkloadError(
            f"{len(measurements)} measurements cannot fix {len(chosen)} constants and say how well.",
            field="measured",
            remedy=f"Give at least {len(chosen) + 1}, or fit fewer: {', '.join(chosen)}.",
        )
    design, rest = _design(chip, measurements, chosen)
    joules = np.array([one.joules for one in measurements])
    design, target = design / joules[:, None], 1 - rest / joules
    lengths = np.linalg.norm(design, axis=0)
    _require_parts(chosen, lengths)
    design = design / lengths
    _require_apart(chosen, design)
    return _solved(chip, chosen, design, target, lengths)


def _chosen(chip: Chip, names: Iterable[str] | None) -> tuple[str, ...]:
    known = {name: entry for name, entry in chip.constants.items() if isinstance(entry, Constant)}
    if names is None:
        chosen = tuple(name for name, entry in known.items() if entry.evidence is Evidence.UNSTATED)
        if not chosen:
            raise ConstantError(
                "no constant is graded unstated.", field=chip.name, remedy=f"Name some with --fit: {', '.join(known)}."
            )
        return chosen
    chosen = tuple(dict.fromkeys(names))
    if not chosen:
        raise ConstantError("no constant is named.", field="--fit", remedy=f"Constants: {', '.join(known)}.")
    for name in chosen:
        if name not in known:
            why = "comes from a table" if name in chip.constants else "is not a constant of the chip"
            raise ConstantError(f"{name!r} {why}.", field="--fit", remedy=f"Constants: {', '.join(known)}.")
    return chosen


def _design(chip: Chip, measurements: Sequence[Measurement], chosen: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return joules per unit of each chosen constant (n_measurements, n_constants), and the joules of all else."""
    design, rest = np.zeros((len(measurements), len(chosen))), np.zeros(len(measurements))
    bare = _bare(chip, chosen)
    bits = chip.max_weight_bits or chip.limits.value("weight_bits") or chip.word_bits
    for row, one in enumerate(measurements):
        report = price(one.workload(bits), _clocked(bare, one.clock_hz), one.seconds, one.routed())
        values = {name: band.value for name, band in report.bands.items()}
        for names, coefficient in Formula.of(report.rows).terms.items():
            fitted = [name for name in names if name in chosen]
            if len(fitted) > 1:
                raise ConstantError(
                    f"{' and '.join(fitted)} multiply each other: their product alone can be measured.",
                    field="--fit",
                    remedy="Fit one of them and state the other.",
                )
            joules = coefficient * prod(values[name] for name in names if name not in chosen)
            if fitted:
                design[row, chosen.index(fitted[0])] += joules * bare.constants[fitted[0]].si_factor
            else:
                rest[row] += joules
    return design, rest


def _bare(chip: Chip, chosen: tuple[str, ...]) -> Chip:
    """Return the chip with the chosen constants priceable, time as it was measured, and no other publications."""
    one = {"value": 1.0, "low": 1.0, "high": 1.0, "evidence": Evidence.DERIVED}
    constants = chip.constants | {name: replace(chip.constants[name], **one) for name in chosen}
    actions = {
        counter: tuple(term.model_copy(update={"time": None}) for term in terms)
        for counter, terms in chip.actions.items()
    }
    return chip.model_copy(
        update={"constants": constants, "actions": actions, "variants": {}, "operating_points": (), "area": ()}
    )


def _clocked(chip: Chip, clock_hz: float | None) -> Chip:
    if clock_hz is None or chip.clock is None:
        return chip
    clock = chip.constants[chip.clock]
    value = clock_hz / clock.si_factor
    own = {chip.clock: replace(clock, value=value, low=value, high=value)}
    return chip.model_copy(update={"constants": chip.constants | own})


def _require_parts(chosen: tuple[str, ...], lengths: np.ndarray) -> None:
    for name, length in zip(chosen, lengths, strict=True):
        if not length:
            raise ConstantError(
                "the constant plays no part in these measurements.",
                field=f"--fit: {name}",
                remedy="Measure runs that use it, add the column that it multiplies, or do not fit it.",
            )


def _require_apart(chosen: tuple[str, ...], design: np.ndarray) -> None:
    _, sizes, directions = np.linalg.svd(design, full_matrices=False)
    if sizes[-1] < _COLLINEAR * sizes[0]:
        open_direction = np.abs(directions[-1])
        alike = [
            name for name, part in zip(chosen, open_direction, strict=True) if part > _TAKES_PART * open_direction.max()
        ]
        raise ConstantError(
            f"{' and '.join(alike)} cannot be told apart: what they multiply grows in step in all measurements.",
            field="--fit",
            remedy="Add measurements in which one changes and the others do not, or fit one of them.",
        )


def _solved(chip: Chip, chosen: tuple[str, ...], design: np.ndarray, target: np.ndarray, lengths: np.ndarray) -> Fit:
    from scipy.optimize import nnls
    from scipy.stats import t

    solution = nnls(design, target)[0]
    residuals = design @ solution - target
    freedom = len(target) - len(chosen)
    inverse = np.linalg.inv(design.T @ design)
    deviations = np.sqrt(np.diag(inverse))
    half = t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(residuals @ residuals / freedom) * deviations
    correlation = inverse / np.outer(deviations, deviations)
    values, halves = solution / lengths, half / lengths
    constants = tuple(
        Fitted(
            name,
            float(values[k]),
            float(max(values[k] - halves[k], 0.0)),
            float(values[k] + halves[k]),
            chip.constants[name].unit,
            {other: float(correlation[k, j]) for j, other in enumerate(chosen) if j != k},
        )
        for k, name in enumerate(chosen)
    )
    rms, worst = float(np.sqrt(np.mean(residuals**2))), float(np.abs(residuals).max())
    return Fit(chip.name, constants, len(target), freedom, rms, worst)

"""Pairs during training: what a network's own spikes show, and why a plain average of them is no STDP window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from eqspike.analysis.closed_forms import estimator_lag
from eqspike.analysis.isolated import pair_stdp_curve
from eqspike.analysis.replay import describe_rule
from eqspike.analysis.window import Bins, Curve, StdpWindow, mean_with_covariance, spoken
from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset
from eqspike.kernels.philox import uniforms
from eqspike.learning.eqspike import EqSpike
from eqspike.substrates.spiking.substrate import SpikingSubstrate
from eqspike.training.run import Run

_POINTS = 3000
_ROOM = 1 << 16
_EQUATION = r"\Delta W = \frac{\eta}{\beta}\,\dot\rho_{post}(t_{pre}),\quad \Delta t = t_{post} - t_{pre}"
_CONDITIONS = tuple((sign, correct) for sign in (1, -1) for correct in (True, False))


class _Asked(Config):
    """What can be asked of pairs during training."""

    presentations: int = Field(ge=2)
    tick_s: float = Field(gt=0)
    window_ticks: int = Field(ge=1)
    bin_ticks: int = Field(ge=1)


@dataclass(frozen=True, eq=False)
class TrainingWindows:
    """Windows of pairs during training.

    Parameters
    ----------
    all_pairs : every pair, without conditions.
    conditions : by the sign of beta and whether the post neuron is the label's: pushed up or pushed down.
    centred : the same with the mean over all pairs of the condition subtracted.
    """

    all_pairs: StdpWindow
    conditions: tuple[StdpWindow, ...]
    centred: tuple[StdpWindow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the windows as plain JSON types: those of all pairs, with the others in it."""
        return {
            **self.all_pairs.to_dict(),
            "conditions": [window.to_dict() for window in self.conditions],
            "centred": [window.to_dict() for window in self.centred],
        }


def during_training(
    run: Run, samples: Dataset, *, presentations: int = 200, window_ticks: int | None = None, bin_ticks: int = 5
) -> TrainingWindows:
    """Return the windows of a trained run's pairs while it is shown test samples as it would be in training.

    See :func:`training_pairs`; weights, counts and everything else of the run stay as they were.

    Parameters
    ----------
    samples : the data set that the run was trained on.
    presentations : how many of its test images are shown, at most all.
    """
    shown = min(presentations, len(samples.x_test))
    return training_pairs(
        run.substrate, run.spec.rule, samples.x_test, samples.y_test,
        presentations=shown, tick_s=run.spec.tick_s, window_ticks=window_ticks, bin_ticks=bin_ticks,
    )  # fmt: skip


def training_pairs(
    substrate: SpikingSubstrate,
    rule: EqSpike,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    presentations: int = 200,
    tick_s: float = 1e-3,
    window_ticks: int | None = None,
    bin_ticks: int = 5,
) -> TrainingWindows:
    r"""Return the updates of hidden-output pairs in nudged phases: dW = (eta / beta) rho'_post(t_pre) against dt.

    Pre spikes are those of the last projection's nudged phase whose whole window lies within the presentation (else
    late pre spikes would be seen with earlier post spikes only). Each is paired with every post spike in the window;
    each pair gets the update that the pre spike triggered. The error is over presentations.

    Parameters
    ----------
    substrate : a network with trained weights; it is left as it was.
    rule : the rule that the substrate runs.
    images, labels : (n, n_pixels) in [0, 1] and (n,) classes; the first ``presentations`` are shown.
    tick_s : seconds that a tick emulates.
    window_ticks : largest abs(dt), below the nudged ticks; by default half of them.
    bin_ticks : width of a bin, odd.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range, or the substrate runs another rule.
    """
    window = substrate.phases.nudged_ticks // 2 if window_ticks is None else window_ticks
    asked = _checked(substrate, rule, len(images), presentations, tick_s, window, bin_ticks)
    bins = Bins.within(asked.window_ticks, asked.bin_ticks)
    shown = [_present(substrate, rule, images, labels, k, bins) for k in range(presentations)]
    sums, counts = (np.stack([one[part] for one in shown]) for part in (0, 1))
    points = np.concatenate([one[2] for one in shown], 1)
    chosen = stream(substrate.seed, Purpose.PROTOCOL, 1).permutation(points.shape[1])[:_POINTS]
    describe = _Description(rule, asked, bins, points[:, chosen])
    conditions = range(len(_CONDITIONS))
    return TrainingWindows(
        describe.window(sums.sum(1), counts.sum(1), None),
        tuple(describe.window(sums[:, c], counts[:, c], c) for c in conditions),
        tuple(describe.window(sums[:, c], counts[:, c], c, centred=True) for c in conditions),
    )


def _checked(
    substrate: SpikingSubstrate, rule: EqSpike, n: int, presentations: int, tick_s: float, window: int, width: int
) -> _Asked:
    asked = _Asked.parse({"presentations": presentations, "tick_s": tick_s, "window_ticks": window, "bin_ticks": width})
    if substrate.rule.parameters != rule.plasticity().parameters:
        raise ConfigError("the substrate runs another rule.", field="rule", remedy="Give the rule it was built with.")
    if presentations > n:
        raise ConfigError(f"there are only {n} images.", field="presentations", remedy="Show no more than there are.")
    if width % 2 == 0:
        raise ConfigError("a bin must be centred on zero.", field="bin_ticks", remedy="Choose an odd number.")
    if window >= substrate.phases.nudged_ticks or Bins.within(window, width).half < 1:
        raise ConfigError(
            f"the window must hold three bins and be shorter than the nudged phase ({substrate.phases.nudged_ticks}).",
            field="window_ticks",
            remedy="Change the window or the bins.",
        )
    return asked


def _present(
    substrate: SpikingSubstrate, rule: EqSpike, images: np.ndarray, labels: np.ndarray, index: int, bins: Bins
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums and counts (n_conditions, n_bins), and single pairs (3, n): condition, dt, update."""
    asked_for, times, raster = _observe(substrate, images, labels, index, bins.reach)
    correct = np.arange(raster.shape[1]) == labels[index]
    sign = -1 if rule.random_sign and uniforms(substrate.seed, int(Purpose.NUDGE_SIGN), index, 0)[0] > 0.5 else 1
    rows = [_CONDITIONS.index((sign, is_correct)) for is_correct in correct.tolist()]
    total, number = asked_for
    around = np.stack([raster[times + lag] for lag in bins.lags])
    sums, counts = np.zeros((2, len(_CONDITIONS), len(bins.lags)))
    for unit, row in enumerate(rows):
        sums[row] += around[:, :, unit] @ total[:, unit]
        counts[row] += around[:, :, unit] @ number[:, unit]
    pairs = np.argwhere(around * (number > 0))
    some = pairs[stream(substrate.seed, Purpose.PROTOCOL, index + 2).permutation(len(pairs))[:100]]
    lag, time, unit = some.T
    single = np.stack([np.array(rows)[unit], bins.lags[lag], total[time, unit] / number[time, unit]])
    return bins.merge(sums), bins.merge(counts), single


def _observe(
    substrate: SpikingSubstrate, images: np.ndarray, labels: np.ndarray, index: int, reach: int
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """Return per tick and post neuron what pre spikes asked for and how many did, these ticks, and post spikes."""
    record = substrate.observe(images, labels, index, updates=_ROOM, states=False)
    if record.n_updates[0] > _ROOM:
        record = substrate.observe(images, labels, index, updates=int(record.n_updates[0]), states=False)
    last = len(substrate.network.projections) - 1
    place, value = (array[: record.n_updates[0]] for array in (record.update_place, record.update_value))
    own = (place[:, 1] == last) & (place[:, 2] == 1)
    raster = record.raster[:, substrate.compiled.block(substrate.network.projections[last].post)].astype(np.float64)
    flat = place[own, 0] * raster.shape[1] + place[own, 4]
    total = np.bincount(flat, value[own], raster.size).reshape(raster.shape)
    number = np.bincount(flat, minlength=raster.size).reshape(raster.shape)
    times = np.arange(max(substrate.phases.free_ticks, reach), len(raster) - reach)
    return (total[times], number[times]), times, raster


@dataclass(frozen=True)
class _Description:
    """What the windows of one run have in common."""

    rule: EqSpike
    asked: _Asked
    bins: Bins
    points: np.ndarray

    def window(
        self, sums: np.ndarray, counts: np.ndarray, condition: int | None, *, centred: bool = False
    ) -> StdpWindow:
        mean, covariance = mean_with_covariance(sums, counts)
        own = self.points if condition is None else self.points[:, self.points[0] == condition]
        level = 0.0
        if centred:
            share = counts.sum(0) / max(1, counts.sum())
            level = float(np.nansum(share * mean))
            take = np.eye(len(share)) - share
            covariance = take @ covariance @ take.T
        tick_s = self.asked.tick_s
        return StdpWindow(
            protocol="during_training",
            rule=type(self.rule).__name__,
            tick_s=tick_s,
            unit="weight",
            difference_s=self.bins.centres * tick_s,
            mean=mean - level,
            standard_error=np.sqrt(np.diag(covariance)),
            count=counts.sum(0),
            points_s=own[1] * tick_s,
            points=own[2] - level,
            equation=_EQUATION,
            caption=self._caption(),
            parameters={"rule": describe_rule(self.rule), "mean_subtracted": level, **self.asked.model_dump()},
            curves=self._reference(),
            lag_s=estimator_lag(self.rule) * tick_s,
            label=_label(condition),
        )

    def _reference(self) -> tuple[Curve, ...]:
        return (pair_stdp_curve(self.bins.lags, self.asked.tick_s),)

    def _caption(self) -> str:
        return (
            f"Updates at presynaptic spikes of the last projection in the nudged phases of {self.asked.presentations} "
            f"presentations, against the time to each postsynaptic spike; bins of "
            f"{spoken(self.asked.bin_ticks * self.asked.tick_s)}, error bands over presentations. Averaged without "
            "conditions the updates show the sign of the output error, not spike timing: on the whole the label's "
            "neuron is potentiated and the others are depressed, whatever the time difference. What depends on timing "
            "is left when pairs are told apart by the sign of β and the class of the neuron, and each mean is "
            "subtracted."
        )


def _label(condition: int | None) -> str:
    if condition is None:
        return "all pairs"
    sign, correct = _CONDITIONS[condition]
    push = "up" if (sign > 0) == correct else "down"
    return f"β {'>' if sign > 0 else '<'} 0, {'label' if correct else 'other'} neuron: pushed {push}"

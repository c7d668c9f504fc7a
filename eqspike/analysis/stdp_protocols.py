"""The protocols of the plasticity literature, for any rule: repeated pairs, their frequency, and triplets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eqspike.analysis.replay import Rule, default_rule, describe_rule, is_contrastive, name_of, unit_of
from eqspike.analysis.stdp_measured import Comparison, Measurements, compare_measured
from eqspike.analysis.stdp_pairings import POST_PRE_POST, PRE_POST_PRE, Pattern, Repetition, triplet_kind
from eqspike.analysis.window import spoken
from eqspike.core.errors import ConfigError

DIFFERENCES_S = tuple(k * 1e-3 for k in range(-80, 81, 2) if k)
RATES_HZ = (0.1, 1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0)
FREQUENCY_DIFFERENCES_S = (10e-3, -10e-3)
TRIPLETS_S = (
    (5e-3, -5e-3), (10e-3, -10e-3), (15e-3, -5e-3), (5e-3, -15e-3),
    (-5e-3, 5e-3), (-10e-3, 10e-3), (-5e-3, 15e-3), (-15e-3, 5e-3),
)  # fmt: skip
_MOST_CONDITIONS = 2001


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a protocol: coordinates by name, (n,) each, and the weight changes (n,)."""

    label: str
    coordinates: dict[str, np.ndarray]
    change: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON types."""
        columns = {name: values.tolist() for name, values in self.coordinates.items()}
        return {"label": self.label, **columns, "change": self.change.tolist()}


@dataclass(frozen=True, eq=False)
class ProtocolResult:
    """Weight changes of a whole protocol, deterministic, and measurements beside them.

    Parameters
    ----------
    protocol : ``pair``, ``frequency`` or ``triplet``.
    unit : of the changes; ``weight`` is relative to a weight of 1 at the beginning.
    series : the lines.
    caption : what was done, in whole sentences.
    parameters : everything that the protocol was given.
    measured : the comparison with measurements, where there are any.
    """

    protocol: str
    rule: str
    unit: str
    series: tuple[Series, ...]
    caption: str
    parameters: dict[str, Any]
    measured: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types, a stable form for scripts."""
        return {
            "protocol": self.protocol,
            "rule": self.rule,
            "unit": self.unit,
            "series": [line.to_dict() for line in self.series],
            "caption": self.caption,
            "parameters": self.parameters,
            "measured": None if self.measured is None else self.measured.to_dict(),
        }


def pair_protocol(
    rule: Rule | None = None,
    difference_s: Sequence[float] = DIFFERENCES_S,
    *,
    measured: Measurements | None = None,
    **repetition: Any,
) -> ProtocolResult:
    """Return the weight change after repeated pairs, against dt = t_post - t_pre: the window as it is measured.

    Unlike a single pair the repetitions see each other, the more the higher the rate.

    Parameters
    ----------
    rule : PairSTDP, TripletSTDP, a TraceRule, EqSpike or a Plasticity; EqSpike(tau_ticks=20, delay_ticks=20) if none.
    measured : changes with ``difference_s``, to compare with.
    **repetition : settings of :class:`~eqspike.analysis.stdp_pairings.Repetition`; 60 pairs at 1 Hz by default.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range.

    References
    ----------
    Bi and Poo, J. Neurosci. 18:10464, 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998 (60 pairs at 1 Hz).
    """
    rule, how = default_rule() if rule is None else rule, Repetition.parse(repetition)
    differences = _numbers("difference_s", difference_s)
    change = np.array([Pattern.pair(dt).change(rule, how) for dt in differences])
    return _result(
        "pair", rule, how, (Series(_often(how), {"difference_s": differences}, change),),
        f"Weight change after {_often(how)} of a presynaptic and a postsynaptic spike, against the time between them.",
        measured, lambda difference_s: Pattern.pair(difference_s).change(rule, how),
    )  # fmt: skip


def frequency_protocol(
    rule: Rule | None = None,
    rates_hz: Sequence[float] = RATES_HZ,
    *,
    difference_s: Sequence[float] = FREQUENCY_DIFFERENCES_S,
    measured: Measurements | None = None,
    **repetition: Any,
) -> ProtocolResult:
    """Return the weight change after repeated pairs against the rate of repetition, a line for each difference.

    Parameters
    ----------
    rule, repetition : as for :func:`pair_protocol`; the rate is set by ``rates_hz``.
    measured : changes with ``rate_hz`` and ``difference_s``, to compare with.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range.

    References
    ----------
    Sjöström, Turrigiano and Nelson, Neuron 32:1149, 2001, doi:10.1016/S0896-6273(01)00542-6;
    Pfister and Gerstner, J. Neurosci. 26:9673, 2006, doi:10.1523/JNEUROSCI.1425-06.2006 (60 pairs in one train).
    """
    rule, how = default_rule() if rule is None else rule, Repetition.parse(repetition)
    rates, differences = _numbers("rates_hz", rates_hz), _numbers("difference_s", difference_s)

    def change(rate_hz: float, difference_s: float) -> float:
        return Pattern.pair(difference_s).change(rule, how.at(rate_hz))

    series = tuple(
        Series(
            f"Δt = {_signed(dt)}",
            {"rate_hz": rates, "difference_s": np.full(len(rates), dt)},
            np.array([change(rate, dt) for rate in rates]),
        )
        for dt in differences
    )
    grouped = "" if how.burst is None else f", in bursts of {how.burst} every {spoken(how.burst_interval_s)}"
    caption = f"Weight change after {how.pairs} pairs{grouped}, against the rate at which they are repeated."
    return _result("frequency", rule, how, series, caption, measured, change)


def triplet_protocol(
    rule: Rule | None = None,
    triplets_s: Sequence[tuple[float, float]] = TRIPLETS_S,
    *,
    measured: Measurements | None = None,
    **repetition: Any,
) -> ProtocolResult:
    """Return the weight change after repeated triplets of spikes.

    Parameters
    ----------
    rule, repetition : as for :func:`pair_protocol`.
    triplets_s : t_post - t_pre of the first two spikes and of the last two, by default those of Wang et al.;
        first > 0 > second is pre-post-pre, first < 0 < second post-pre-post.
    measured : changes with ``first_s`` and ``second_s``, to compare with.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range, or two differences make no triplet.

    References
    ----------
    Wang, Gerkin, Nauen and Bi, Nat. Neurosci. 8:187, 2005, doi:10.1038/nn1387 (60 triplets at 1 Hz).
    """
    rule, how = default_rule() if rule is None else rule, Repetition.parse(repetition)
    given = [tuple(_numbers("triplets_s", triplet)) for triplet in triplets_s]
    if any(len(triplet) != 2 or triplet_kind(*triplet) is None for triplet in given) or not given:
        remedy = "Give (first, second) with first > 0 > second or first < 0 < second."
        raise ConfigError("two differences make no triplet.", field="triplets_s", remedy=remedy)

    def change(first_s: float, second_s: float) -> float:
        return Pattern.triplet(first_s, second_s).change(rule, how)

    series = []
    for kind in (PRE_POST_PRE, POST_PRE_POST):
        own = np.array([triplet for triplet in given if triplet_kind(*triplet) == kind]).reshape(-1, 2)
        if len(own):
            changes = np.array([change(*triplet) for triplet in own])
            series.append(Series(kind, {"first_s": own[:, 0], "second_s": own[:, 1]}, changes))
    caption = (
        f"Weight change after {how.pairs} triplets at {how.rate_hz:g} Hz, by t_post − t_pre of the first two and "
        "of the last two spikes."
    )
    return _result("triplet", rule, how, tuple(series), caption, measured, change)


def _result(
    protocol: str,
    rule: Rule,
    how: Repetition,
    series: tuple[Series, ...],
    caption: str,
    measured: Measurements | None,
    predict: Callable[..., float],
) -> ProtocolResult:
    free = is_contrastive(rule)
    found = None if measured is None else compare_measured(measured, predict, free_scale=free)
    if free and how.weights == "asymmetric":
        caption += " Asymmetric weights: the synapse learns at presynaptic spikes alone."
    if free:
        caption += " The size of the change, η/β, is free, and its sign turns with β."
    return ProtocolResult(
        protocol, name_of(rule), unit_of(rule), series, caption,
        {"rule": describe_rule(rule), **how.model_dump(mode="json")}, found,
    )  # fmt: skip


def _numbers(field: str, given: Sequence[float]) -> np.ndarray:
    try:
        numbers = np.array(given, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if numbers.ndim != 1 or not 0 < len(numbers) <= _MOST_CONDITIONS or not np.isfinite(numbers).all():
        remedy = f"Give 1 to {_MOST_CONDITIONS} finite numbers."
        raise ConfigError("these are no numbers to go through.", field=field, remedy=remedy)
    return numbers


def _often(how: Repetition) -> str:
    grouped = "" if how.burst is None else f", in bursts of {how.burst} every {spoken(how.burst_interval_s)}"
    return f"{how.pairs} pairs at {how.rate_hz:g} Hz{grouped}"


def _signed(seconds: float) -> str:
    return ("+" if seconds > 0 else "−") + spoken(abs(seconds))

"""The ensemble of rate ramps: spike-timing-dependent plasticity as pre spikes times the slope of the post rate."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from eqspike.analysis.closed_forms import estimator_lag, memory_ticks, ramp_causal, ramp_exact
from eqspike.analysis.isolated import pair_stdp_curve
from eqspike.analysis.replay import (
    Rule,
    as_plasticity,
    default_rule,
    describe_rule,
    is_contrastive,
    name_of,
    replay,
    triggers_of,
    unit_of,
)
from eqspike.analysis.window import Bins, Curve, StdpWindow, find_crossing, mean_with_covariance, spoken
from eqspike.core.config import Config
from eqspike.core.rng import Purpose, stream
from eqspike.learning.eqspike import EqSpike

_CHUNK = 1000  # trials that share a random stream
_POINTS = 3000
_POINTS_STREAM = 2**40  # beyond every chunk
_LEAD_TICKS = 200  # before the pre spike, for a rule whose memory is not known
_EQUATION = (
    r"\langle\Delta W\rangle(\Delta t) = \frac{\eta}{\beta}\,"
    r"\frac{\langle\dot\rho_{post}(t)\,\rho_{post}(t+\Delta t)\rangle}{\langle\rho_{post}\rangle}"
)
_SYMMETRIC = r"\langle\Delta W\rangle(\Delta t) + \langle\Delta W\rangle(-\Delta t)"


class _Asked(Config):
    """What can be asked of the ensemble."""

    trials: int = Field(ge=2, le=1_000_000)
    seed: int = Field(ge=0, lt=2**63)
    tick_s: float = Field(gt=0)
    ramp_ticks: int = Field(ge=1, le=100_000)
    rates: tuple[float, float]
    window_ticks: int = Field(ge=1, le=10_000)
    bin_ticks: int = Field(ge=1)
    derivative: Literal["rule", "exact"]
    weights: Literal["asymmetric", "symmetric"]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0 <= self.rates[0] < self.rates[1] <= 1:
            raise ValueError("rates must be two numbers of spikes a tick, 0 <= low < high <= 1")
        if self.bin_ticks % 2 == 0:
            raise ValueError("bin_ticks must be odd, so that one bin is centred on zero")
        if self.bins.half < 1:
            raise ValueError("window_ticks must hold at least three bins of bin_ticks")
        return self

    @property
    def bins(self) -> Bins:
        return Bins.within(self.window_ticks, self.bin_ticks)


def rate_ramp(
    rule: Rule | None = None,
    *,
    trials: int = 8000,
    seed: int = 1,
    tick_s: float = 1e-3,
    ramp_ticks: int = 100,
    rates: tuple[float, float] = (0.02, 0.3),
    window_ticks: int = 60,
    bin_ticks: int = 11,
    derivative: Literal["rule", "exact"] = "rule",
    weights: Literal["asymmetric", "symmetric"] | None = None,
) -> StdpWindow:
    r"""Return the mean update of pre/post pairs while the post neuron's rate ramps up and down.

    The post neuron (leakless, soft reset, random initial charge) is driven by a current of straight ramps of
    ``ramp_ticks`` between rates drawn uniformly from ``rates``, a different part of a ramp in each trial. One pre spike
    falls when the rule has forgotten the beginning. Every pair within the window gets the update that the pre spike
    triggers, for EqSpike the post neuron's rate derivative, and pairs are averaged by dt = t_post - t_pre. For a rule
    that post spikes trigger too, such as STDP, every pair gets the whole change that the pre spike and the post spikes
    within the window make: its own, and those of the post spikes around it.
    The closed forms are derived in :func:`~eqspike.analysis.closed_forms.ramp_exact` (the exact slope: odd in dt) and
    :func:`~eqspike.analysis.closed_forms.ramp_causal` (the causal estimator: late by its lag).

    Parameters
    ----------
    rule : EqSpike(tau_ticks=20, delay_ticks=20) where not given.
    trials : independent ramps; the error band is over trials.
    rates : lowest and highest rate, spikes per tick.
    window_ticks : largest abs(dt); the last bin may end before.
    bin_ticks : width of a bin, odd.
    derivative : ``rule`` for what the rule asks for, ``exact`` for the drawn slope at the pre spike in its place.
    weights : of a contrastive rule, by default ``asymmetric``: the window w(dt) of pre spikes alone. ``symmetric`` is
        the sum w(dt) + w(-dt) that one weight shared by both directions gets where both neurons are of the ensemble.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range.

    References
    ----------
    Bengio, Mesnard, Fischer, Zhang and Wu, arXiv:1509.05936, 2015.

    Notes
    -----
    A single straight ramp would not show the lag: its slope is the same at any time. It takes rates that turn.
    """
    rule = default_rule() if rule is None else rule
    asked = _Asked.parse(
        {
            "trials": trials, "seed": seed, "tick_s": tick_s, "ramp_ticks": ramp_ticks, "rates": rates,
            "window_ticks": window_ticks, "bin_ticks": bin_ticks, "derivative": derivative,
            "weights": _weights(rule, weights),
        }
    )  # fmt: skip
    bins, shared = asked.bins, is_contrastive(rule) and asked.weights == "symmetric"
    change, spikes = _run_trials(rule, asked)
    counts = bins.merge(spikes)
    mean, covariance = mean_with_covariance(counts * change[:, None], counts)
    if shared:
        mirror = np.eye(len(mean)) + np.eye(len(mean))[::-1]
        mean, covariance = mirror @ mean, mirror @ covariance @ mirror
    trial, lag = _some_pairs(spikes[:0] if shared else spikes, seed)
    equation, caption = _words(rule, asked)
    causal = isinstance(rule, EqSpike) and derivative == "rule" and not shared
    return StdpWindow(
        protocol="rate_ramp",
        rule=name_of(rule),
        tick_s=tick_s,
        unit=unit_of(rule),
        difference_s=bins.centres * tick_s,
        mean=mean,
        standard_error=np.sqrt(np.diag(covariance)),
        count=counts.sum(0),
        points_s=bins.lags[lag] * tick_s,
        points=change[trial],
        equation=equation,
        caption=caption,
        parameters={"rule": describe_rule(rule), **asked.model_dump(mode="json")},
        curves=_curves(rule, asked),
        crossing=None if shared else find_crossing(bins.centres * tick_s, mean, covariance),
        lag_s=estimator_lag(rule) * tick_s if causal else None,
    )


def draw_ramps(
    seed: int, chunk: int, trials: int, lead: int, reach: int, ramp_ticks: int, rates: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw neurons on ramps, whose rate at a tick is the current of the tick.

    Returns
    -------
    tuple
        currents and spikes (lead + reach + 1, trials), the initial charge within the first current, and the exact
        slopes (trials,) at tick ``lead``, spikes per tick^2.
    """
    draw = stream(seed, Purpose.PROTOCOL, chunk)
    ticks, trial = np.arange(lead + reach + 1), np.arange(trials)
    knots = draw.uniform(*rates, (_CHUNK, len(ticks) // ramp_ticks + 3))
    at = ticks[:, None] / ramp_ticks + draw.uniform(0, 1, _CHUNK)[:trials]
    before = at.astype(int)
    low, high = knots[trial, before], knots[trial, before + 1]
    current = low + (high - low) * (at - before)
    current[0] += draw.uniform(0, 1, _CHUNK)[:trials]
    spikes, potential = np.zeros(current.shape, np.uint8), np.zeros(trials)
    for tick in ticks:
        potential += current[tick]
        spikes[tick] = potential >= 1
        potential -= spikes[tick]
    return current, spikes, (high - low)[lead] / ramp_ticks


def _weights(rule: Rule, weights: str | None) -> str:
    """Return the kind of weights that was asked for, or what the rule is mostly looked at with."""
    chosen = weights or ("asymmetric" if is_contrastive(rule) else "symmetric")
    triggers_of(rule, chosen)
    return chosen


def _run_trials(rule: Rule, asked: _Asked) -> tuple[np.ndarray, np.ndarray]:
    """Return the change of each trial with one pre spike (trials,) and the post spikes around it (trials, n_lags)."""
    reach, plasticity = asked.bins.reach, as_plasticity(rule, asked.tick_s)
    end, triggers = (0, ("pre",)) if is_contrastive(rule) else (reach, ("pre", "post"))
    lead = max(reach, memory_ticks(rule) if isinstance(rule, EqSpike) else _LEAD_TICKS)
    pre = np.zeros((lead + end + 1, 1))
    pre[lead] = 1
    changes, trains = [], []
    for first in range(0, asked.trials, _CHUNK):
        n = min(_CHUNK, asked.trials - first)
        _, spikes, change = draw_ramps(asked.seed, first // _CHUNK, n, lead, reach, asked.ramp_ticks, asked.rates)
        if asked.derivative == "rule":
            asked_for = replay(plasticity, pre, spikes[: lead + end + 1], triggers=triggers)
            change = np.bincount(asked_for.place[:, 3], asked_for.value, n)
        changes.append(change)
        trains.append(spikes[lead - reach :].T)
    return np.concatenate(changes), np.concatenate(trains)


def _some_pairs(spikes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.flatnonzero(spikes)
    chosen = stream(seed, Purpose.PROTOCOL, _POINTS_STREAM).choice(pairs, min(_POINTS, len(pairs)), replace=False)
    return np.unravel_index(chosen, spikes.shape)


def _curves(rule: Rule, asked: _Asked) -> tuple[Curve, ...]:
    ticks, difference_s = asked.bins.lags, asked.bins.lags * asked.tick_s
    reference = pair_stdp_curve(ticks, asked.tick_s)
    if not isinstance(rule, EqSpike) and asked.derivative == "rule":
        return (reference,)
    exact = ramp_exact(ticks, asked.ramp_ticks, asked.rates)
    causal = None if asked.derivative == "exact" else ramp_causal(rule, ticks, asked.ramp_ticks, asked.rates)
    if asked.weights == "symmetric":
        exact, causal = exact + exact[::-1], None if causal is None else causal + causal[::-1]
    if causal is None:
        return Curve("closed_form", "closed form", difference_s, exact), reference
    return (
        Curve("closed_form", "closed form, causal estimator", difference_s, causal),
        Curve("exact_slope", "closed form, exact slope", difference_s, exact),
        reference,
    )


def _words(rule: Rule, asked: _Asked) -> tuple[str, str]:
    tick_s = asked.tick_s
    ensemble = (
        f"Mean update at a presynaptic spike against the time to each postsynaptic spike: {asked.trials} trials, "
        f"postsynaptic rate on ramps of {spoken(asked.ramp_ticks * tick_s)} between random rates of {asked.rates[0]:g} "
        f"to {asked.rates[1]:g} spikes per tick ({spoken(tick_s)}); bins of {spoken(asked.bin_ticks * tick_s)}."
    )
    if asked.derivative == "exact":
        return _EQUATION, (
            f"{ensemble} With the exact slope of the rate the curve is odd: potentiation where post follows pre, "
            "depression where it precedes."
        )
    if not isinstance(rule, EqSpike):
        return r"\langle\Delta W\rangle(\Delta t)", (
            f"{ensemble} Each pair is given the whole change of its trial: that of the pair itself, and that of the "
            "other postsynaptic spikes within the window of the presynaptic one."
        )
    if asked.weights == "symmetric":
        return _SYMMETRIC, (
            f"{ensemble} One weight shared by both directions gets the window and its mirror image: with the exact "
            "slope they would cancel, and what is left is even in time: what the estimator's lag makes, twice. "
            "The order of the spikes does not matter to a symmetric weight."
        )
    return _EQUATION, (
        f"{ensemble} Potentiation where post follows pre and depression where it precedes, shifted by the lag of the "
        f"causal rate estimator ({spoken(estimator_lag(rule) * tick_s)}). This is a property of the ensemble: it "
        "follows the slope of the rate, not the order of two spikes, and single pairs scatter far more widely. A "
        "symmetric weight also receives the mirror image from its postsynaptic spikes (not drawn), and the sign turns "
        "with β."
    )

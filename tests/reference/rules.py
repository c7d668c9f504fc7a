"""Plasticity rules read from whole spike histories: sums over all past spikes, no trace carried along.

``read`` takes the spikes (ticks, n) of a layer before the present tick and returns the rows that the rule looks at.
"""

from __future__ import annotations

import numpy as np

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP


def smoothed(signal: np.ndarray, tau: float) -> np.ndarray:
    """Convolve (ticks, n) with (1 / tau)(1 - 1 / tau)^age: what a leaky average of time constant tau holds."""
    ticks = np.arange(len(signal))
    age = ticks[:, None] - ticks[None, :]
    kernel = np.where(age >= 0, (1 / tau) * (1 - 1 / tau) ** np.maximum(age, 0), 0.0)
    return kernel @ signal


class EqSpikeTwin:
    """A spike reads the rate derivative of the neuron at the other end."""

    contrastive, traces_sources, named_traces = True, False, 2

    def __init__(self, rule: EqSpike) -> None:
        self.rule = rule

    def read(self, spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (rate, rate change) of each neuron."""
        rule, ticks = self.rule, len(spikes)
        if ticks == 0:
            return np.zeros(spikes.shape[1]), np.zeros(spikes.shape[1])
        rates = smoothed(spikes, rule.tau_ticks)
        if rule.derivative == "slow_trace":
            return rates[-1], (rates[-1] - smoothed(rates, rule.tau_slow_ticks)[-1]) / rule.tau_slow_ticks
        earlier = rates[ticks - 1 - rule.delay_ticks] if ticks > rule.delay_ticks else 0.0
        return rates[-1], (rates[-1] - earlier) / rule.delay_ticks

    def rate(self, reading: tuple) -> np.ndarray:
        return reading[0]

    def on_pre(self, weight: float, pre, i: int, post, j: int) -> float:
        return post[1][j]

    def on_post(self, weight: float, pre, i: int, post, j: int) -> float:
        return pre[1][i]


def decayed_counts(spikes: np.ndarray, tau: float) -> np.ndarray:
    """Sum exp(-age / tau) over all past spikes; a spike of the last tick has age 1."""
    ages = np.arange(len(spikes), 0, -1)
    return np.exp(-ages / tau) @ spikes


def decayed_last(spikes: np.ndarray, tau: float) -> np.ndarray:
    """Return exp(-age / tau) of each neuron's last spike, 0 where there was none."""
    fired = [np.flatnonzero(train) for train in spikes.T]
    return np.array([np.exp(-(len(spikes) - ticks[-1]) / tau) if ticks.size else 0.0 for ticks in fired])


class PairSTDPTwin:
    """A post spike sums over past pre spikes and the other way round, or takes the last of them alone."""

    contrastive, traces_sources, named_traces = False, True, 2

    def __init__(self, rule: PairSTDP) -> None:
        self.rule = rule

    def read(self, spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what past spikes are worth to a later partner: (as pre spikes, as post spikes)."""
        decayed = decayed_counts if self.rule.pairs == "all-to-all" else decayed_last
        return decayed(spikes, self.rule.tau_plus), decayed(spikes, self.rule.tau_minus)

    def rate(self, reading: tuple) -> np.ndarray:
        return reading[0]

    def on_pre(self, weight: float, pre, i: int, post, j: int) -> float:
        return -self.rule.A_minus * post[1][j]

    def on_post(self, weight: float, pre, i: int, post, j: int) -> float:
        return self.rule.A_plus * pre[0][i]


def twin_of(rule: EqSpike | PairSTDP) -> EqSpikeTwin | PairSTDPTwin:
    """Return the twin of a rule as described in a recipe."""
    return EqSpikeTwin(rule) if isinstance(rule, EqSpike) else PairSTDPTwin(rule)

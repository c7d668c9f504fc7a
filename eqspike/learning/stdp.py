"""Pair-based spike-timing-dependent plasticity, all-to-all pairs, additive."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pydantic import Field

from eqspike.core.config import Config
from eqspike.learning.plasticity import Plasticity

PRE, POST = 0, 1


class PairParameters(NamedTuple):
    """Decay a tick of the two traces and the amplitudes of potentiation and depression."""

    keep_plus: float
    keep_minus: float
    a_plus: float
    a_minus: float


def advance(parameters, traces, spikes, tick):
    """Let both traces decay by a tick and add one at a spike."""
    keep_plus, keep_minus = parameters.keep_plus, parameters.keep_minus
    for i in range(spikes.size):
        traces[PRE, i] = (traces[PRE, i] + spikes[i]) * keep_plus
        traces[POST, i] = (traces[POST, i] + spikes[i]) * keep_minus


def on_pre(parameters, weight, pre, i, post, j):
    """A pre spike depresses by the post neuron's trace."""
    return -parameters.a_minus * post[POST, j]


def on_post(parameters, weight, pre, i, post, j):
    """A post spike potentiates by the pre neuron's trace."""
    return parameters.a_plus * pre[PRE, i]


class PairSTDP(Config):
    r"""Pair-based STDP in the time difference dt = t_post - t_pre.

    dW = A_plus exp(-dt / tau_plus) for dt > 0 and -A_minus exp(dt / tau_minus) for dt < 0.
    Coincident spikes (dt = 0) change nothing. Weights stay in the projection's [w_min, w_max].

    References
    ----------
    Song, Miller and Abbott, Nat. Neurosci. 3:919, 2000, doi:10.1038/78829.
    """

    tau_plus_ticks: float = Field(20.0, gt=0)
    tau_minus_ticks: float = Field(20.0, gt=0)
    a_plus: float = Field(0.01, ge=0)
    a_minus: float = Field(0.012, ge=0)

    def plasticity(self) -> Plasticity:
        """Return the rule as the engine takes it."""
        parameters = PairParameters(
            float(np.exp(-1.0 / self.tau_plus_ticks)),
            float(np.exp(-1.0 / self.tau_minus_ticks)),
            float(self.a_plus),
            float(self.a_minus),
        )
        return Plasticity(parameters, ("pre", "post"), advance, on_pre, on_post)

"""EqSpike: Equilibrium Propagation whose updates are triggered by spikes and need only local quantities.

Equilibrium Propagation learns with the time derivative of the product of two rates during the nudged phase. EqSpike
lets the spike train of one neuron stand for its rate and takes the derivative of the other:
dW_ij = (eta / beta) [s_i d(rho_j) + s_j d(rho_i)], db_i = (eta / beta) d(rho_i). Nothing of the free phase is stored:
the derivative comes from the rate estimator's own short memory.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from eqspike.core.config import Config
from eqspike.learning.plasticity import Plasticity

RATE, RATE_CHANGE, MEMORY = 0, 1, 2


class EqSpikeParameters(NamedTuple):
    """What the compiled functions need: 1 / tau, 1 / delay, delay in ticks (0: slow trace), 1 / tau_slow."""

    smoothing: float
    per_delay: float
    delay: int
    slow: float


def advance(parameters, traces, spikes, tick):
    """Move the rate estimate r by one tick, r <- r + (s - r) / tau, and its derivative with it."""
    smoothing, slow = parameters.smoothing, parameters.slow
    if parameters.delay == 0:
        for i in range(spikes.size):
            r = traces[RATE, i]
            r += (spikes[i] - r) * smoothing
            reference = traces[MEMORY, i]
            reference += (r - reference) * slow
            traces[RATE_CHANGE, i] = (r - reference) * slow
            traces[MEMORY, i] = reference
            traces[RATE, i] = r
        return
    slot, per_delay = MEMORY + tick % parameters.delay, parameters.per_delay
    for i in range(spikes.size):
        r = traces[RATE, i]
        r += (spikes[i] - r) * smoothing
        traces[RATE_CHANGE, i] = (r - traces[slot, i]) * per_delay
        traces[slot, i] = r
        traces[RATE, i] = r


def on_pre(parameters, weight, pre, i, post, j):
    """A pre spike asks for the rate derivative of the post neuron."""
    return post[RATE_CHANGE, j]


def on_post(parameters, weight, pre, i, post, j):
    """A post spike asks for the rate derivative of the pre neuron."""
    return pre[RATE_CHANGE, i]


class EqSpike(Config):
    r"""The EqSpike rule and its nudge.

    Outputs receive beta (y - r) in the nudged phase, y = ``target_rate`` for the label and 0 else. The rate estimate is
    r <- r + (s - r) / tau; its derivative is [r(t) - r(t - D)] / D (``delay``; D = 1 is the bare derivative
    (s - r) / tau) or (r - r_slow) / tau_slow (``slow_trace``). ``random_sign`` draws the sign of beta per sample.

    References
    ----------
    Martin et al., iScience 24(3):102222, 2021, doi:10.1016/j.isci.2021.102222; Scellier and Bengio, Front. Comput.
    Neurosci. 11:24, 2017; Ernoult et al., arXiv:2005.04168, 2020.

    Notes
    -----
    The paper's exact estimator and constants are not public; the forms and values here are ours.
    """

    name: Literal["eqspike"] = "eqspike"
    beta: float = Field(2.0, gt=0)
    random_sign: bool = True
    target_rate: float = Field(1.0, gt=0, le=1)
    tau_ticks: float = Field(20.0, ge=1)
    derivative: Literal["delay", "slow_trace"] = "delay"
    delay_ticks: int = Field(20, ge=1, le=1000)
    tau_slow_ticks: float = Field(20.0, ge=1)

    def plasticity(self) -> Plasticity:
        """Return the rule as the engine takes it."""
        delayed = self.derivative == "delay"
        delay = self.delay_ticks if delayed else 0
        parameters = EqSpikeParameters(
            1.0 / self.tau_ticks, 1.0 / delay if delayed else 0.0, delay, 0.0 if delayed else 1.0 / self.tau_slow_ticks
        )
        return Plasticity(
            parameters,
            ("rate", "rate_change"),
            advance,
            on_pre,
            on_post,
            memory=delay if delayed else 1,
            traces_sources=False,
            contrastive=True,
        )

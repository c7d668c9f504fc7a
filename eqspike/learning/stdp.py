"""Spike-timing-dependent plasticity: pair-based (all-to-all or nearest-neighbour) and triplet, additive."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.trace_rule import Trace, TraceRule

PLUS, MINUS, SLOW_PLUS, SLOW_MINUS = 0, 1, 2, 3


class PairParameters(NamedTuple):
    """Amplitudes; for a clock that calls ``advance``, decays a tick and 1 where only the nearest spike counts."""

    keep_plus: float
    keep_minus: float
    a_plus: float
    a_minus: float
    nearest: float


def advance(parameters, traces, spikes, tick):
    """Let both traces decay by a tick; a spike adds one, or sets them to one."""
    keep_plus, keep_minus, fresh = parameters.keep_plus, parameters.keep_minus, 1 - parameters.nearest
    for i in range(spikes.size):
        kept = fresh + parameters.nearest * (1 - spikes[i])
        traces[PLUS, i] = (traces[PLUS, i] * kept + spikes[i]) * keep_plus
        traces[MINUS, i] = (traces[MINUS, i] * kept + spikes[i]) * keep_minus


def on_pre(parameters, weight, pre, i, post, j):
    """A pre spike depresses by the post neuron's trace."""
    return -parameters.a_minus * post[MINUS, j]


def on_post(parameters, weight, pre, i, post, j):
    """A post spike potentiates by the pre neuron's trace."""
    return parameters.a_plus * pre[PLUS, i]


class _Bounded(Config):
    w_min: float | None = None
    w_max: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.w_min is not None and self.w_max is not None and not self.w_min < self.w_max:
            raise ValueError("w_min must lie below w_max")
        return self

    @property
    def bounds(self) -> dict[str, float]:
        """Bounds of the weights; none is infinite."""
        return {
            "w_min": -np.inf if self.w_min is None else self.w_min,
            "w_max": np.inf if self.w_max is None else self.w_max,
        }


class PairSTDP(_Bounded):
    r"""Pair-based STDP in the time difference dt = t_post - t_pre, times in seconds.

    dW = A_plus exp(-dt / tau_plus) for dt > 0 and -A_minus exp(dt / tau_minus) for dt < 0, summed over all pairs
    (``all-to-all``), or over each spike and the last one of the other neuron before it (``nearest-neighbour``, the
    symmetric scheme). In ticks coincident spikes (dt = 0) change nothing; on the exact clock the later one of
    a moment pairs with the earlier. Weights are clipped to [w_min, w_max].

    References
    ----------
    Song, Miller and Abbott, Nat. Neurosci. 3:919, 2000, doi:10.1038/78829; Morrison, Diesmann and Gerstner, Biol.
    Cybern. 98:459, 2008, doi:10.1007/s00422-008-0233-1 (the pairing schemes).
    """

    tau_plus: float = Field(0.02, gt=0)
    tau_minus: float = Field(0.02, gt=0)
    A_plus: float = Field(0.01, ge=0)
    A_minus: float = Field(0.012, ge=0)
    pairs: Literal["all-to-all", "nearest-neighbour"] = "all-to-all"

    def _parameters(self, tick_s: float) -> PairParameters:
        return PairParameters(
            float(np.exp(-tick_s / self.tau_plus)),
            float(np.exp(-tick_s / self.tau_minus)),
            float(self.A_plus),
            float(self.A_minus),
            float(self.pairs == "nearest-neighbour"),
        )

    def trace_rule(self) -> TraceRule:
        """Return the rule as :func:`eqspike.simulate` takes it."""
        nearest = self.pairs == "nearest-neighbour"
        traces = (Trace("plus", self.tau_plus, nearest), Trace("minus", self.tau_minus, nearest))
        amplitudes = ("a_plus", "a_minus")
        return TraceRule(
            self._parameters(0.0), traces, on_pre, on_post, amplitudes=amplitudes, advance=advance, **self.bounds
        )

    def plasticity(self, tick_s: float = 1.0) -> Plasticity:
        """Return the rule as a :class:`~eqspike.SpikingSubstrate` takes it, in ticks of ``tick_s``.

        By default the times are in ticks; there the bounds of the weights are those of each projection.
        """
        return Plasticity(self._parameters(tick_s), ("plus", "minus"), advance, on_pre, on_post)


class TripletParameters(NamedTuple):
    """Amplitudes of pairs (2) and triplets (3) of potentiation (plus) and depression (minus)."""

    a2_plus: float
    a2_minus: float
    a3_plus: float
    a3_minus: float


def on_pre_triplet(parameters, weight, pre, i, post, j):
    """A pre spike depresses by the post neuron's trace, more where pre spikes came before."""
    return -post[MINUS, j] * (parameters.a2_minus + parameters.a3_minus * pre[SLOW_PLUS, i])


def on_post_triplet(parameters, weight, pre, i, post, j):
    """A post spike potentiates by the pre neuron's trace, more where post spikes came before."""
    return pre[PLUS, i] * (parameters.a2_plus + parameters.a3_plus * post[SLOW_MINUS, j])


class TripletSTDP(_Bounded):
    r"""Triplet STDP, times in seconds.

    At a post spike dW = r1 (A2_plus + A3_plus o2), at a pre spike dW = -o1 (A2_minus + A3_minus r2), with traces r1
    (tau_plus) and r2 (tau_x) of pre spikes, o1 (tau_minus) and o2 (tau_y) of post spikes, r2 and o2 as they stood
    before the spike; each grows by one at a spike (``all-to-all``) or is set to one (``nearest-neighbour``). The
    defaults are the published fit to visual cortex, all-to-all.

    References
    ----------
    Pfister and Gerstner, J. Neurosci. 26:9673, 2006, doi:10.1523/JNEUROSCI.1425-06.2006.
    """

    tau_plus: float = Field(16.8e-3, gt=0)
    tau_minus: float = Field(33.7e-3, gt=0)
    tau_x: float = Field(101e-3, gt=0)
    tau_y: float = Field(125e-3, gt=0)
    A2_plus: float = Field(5e-10, ge=0)
    A2_minus: float = Field(7e-3, ge=0)
    A3_plus: float = Field(6.2e-3, ge=0)
    A3_minus: float = Field(2.3e-4, ge=0)
    pairs: Literal["all-to-all", "nearest-neighbour"] = "all-to-all"

    def trace_rule(self) -> TraceRule:
        """Return the rule as :func:`eqspike.simulate` takes it."""
        nearest = self.pairs == "nearest-neighbour"
        taus = (self.tau_plus, self.tau_minus, self.tau_x, self.tau_y)
        names = ("plus", "minus", "slow_plus", "slow_minus")
        parameters = TripletParameters(
            float(self.A2_plus), float(self.A2_minus), float(self.A3_plus), float(self.A3_minus)
        )
        traces = tuple(Trace(name, tau, nearest) for name, tau in zip(names, taus, strict=True))
        return TraceRule(parameters, traces, on_pre_triplet, on_post_triplet, **self.bounds)

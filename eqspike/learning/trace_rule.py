"""Spike-timing rules on exponential traces: they run on every clock of :func:`eqspike.simulate`.

Both ends of a plastic projection have all traces of the rule. A spike that arrives at a synapse, after the axonal
delay, changes its weight by ``on_pre``, a spike of the post neuron, without delay, by ``on_post``; both read traces as
they stood before. Then the traces of the neuron that fired grow by one, or are set to one (``nearest``). Within a
tick arrivals come first and no event sees the other's trace; on the exact clock events of one moment follow each other.
A spike is delivered with the weight as it was before its own change.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log2
from typing import NamedTuple

import numpy as np

from eqspike.core.errors import PlasticityError
from eqspike.kernels.rules import bind


class Trace(NamedTuple):
    """A trace that decays with ``tau_s`` and at a spike grows by one, or is set to one where ``nearest``."""

    name: str
    tau_s: float
    nearest: bool = False


def leave_alone(parameters, traces, spikes, tick):
    """Leave the traces alone: the engine moves exponential traces itself."""


class TraceRule:
    """A rule on exponential traces.

    Parameters
    ----------
    parameters : a named tuple of floats, of a class of its own: the functions are found by that class.
    traces : the traces of each end, in the order of the rows of ``pre`` and ``post`` (n_traces, n).
    on_pre, on_post : ``(parameters, weight, pre, i, post, j)``, what a spike of neuron i (on_post: j) asks for.
    w_min, w_max : bounds that the weights are clipped to.
    amplitudes : names of the parameters that ``on_pre`` and ``on_post`` are linear in, beside one trace: a rule that
        has them runs in fixed point too.

    Raises
    ------
    PlasticityError
        if there is no trace, a time constant is not positive, or the bounds are no interval.
    """

    def __init__(
        self,
        parameters: tuple,
        traces: tuple[Trace, ...],
        on_pre: Callable,
        on_post: Callable,
        *,
        w_min: float = -np.inf,
        w_max: float = np.inf,
        amplitudes: tuple[str, ...] = (),
        advance: Callable = leave_alone,
    ) -> None:
        for wrong, field, problem, remedy in (
            (
                not hasattr(type(parameters), "_fields"),
                "parameters",
                "they are no named tuple.",
                "Use typing.NamedTuple.",
            ),
            (not traces, "traces", "at least one trace must be declared.", "Declare one."),
            (
                any(not trace.tau_s > 0 for trace in traces),
                "traces",
                "a time constant is not positive.",
                "Give seconds.",
            ),
            (not w_min < w_max, "w_min", f"{w_min} to {w_max} is no interval.", "Put w_min below w_max."),
        ):
            if wrong:
                raise PlasticityError(problem, field=field, remedy=remedy)
        bind(type(parameters), advance, on_pre, on_post)
        self.parameters, self.traces, self.w_min, self.w_max = parameters, tuple(traces), float(w_min), float(w_max)
        self.amplitudes = amplitudes

    @property
    def taus_s(self) -> tuple[float, ...]:
        """Time constants of the traces in seconds."""
        return tuple(float(trace.tau_s) for trace in self.traces)

    @property
    def nearest(self) -> tuple[bool, ...]:
        """Whether each trace is set to one at a spike instead of growing."""
        return tuple(bool(trace.nearest) for trace in self.traces)

    def typed(self, dtype: np.dtype) -> tuple:
        """Return the parameters with every float in the engine's precision."""
        kind = type(self.parameters)
        return kind(*(dtype.type(value) if isinstance(value, float) else value for value in self.parameters))

    def integers(self) -> tuple[tuple, float]:
        """Return the parameters with amplitudes as integers of 15 bits, and the power of two they were scaled by."""
        largest = max(abs(getattr(self.parameters, name)) for name in self.amplitudes)
        scale = 2.0 ** (14 - floor(log2(largest))) if largest > 0 else 1.0
        whole = {name: round(getattr(self.parameters, name) * scale) for name in self.amplitudes}
        return self.parameters._replace(**whole), scale

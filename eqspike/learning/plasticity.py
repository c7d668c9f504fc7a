"""The public plasticity interface: a rule is three small functions, a named tuple of parameters and declared traces.

A rule of your own::

    class Decay(NamedTuple):
        rate: float

    def advance(parameters, traces, spikes, tick):
        for i in range(spikes.size):
            traces[0, i] += (spikes[i] - traces[0, i]) * parameters.rate

    def on_pre(parameters, weight, pre, i, post, j):
        return post[0, j]

    def on_post(parameters, weight, pre, i, post, j):
        return pre[0, i]

    rule = Plasticity(Decay(0.05), ("rate",), advance, on_pre, on_post)

The functions are plain Python in Numba's subset; the engine compiles them into its loop. Order within a tick: all
neurons fire, spikes are delivered, every spike triggers ``on_pre`` or ``on_post`` with the traces as they stood before
this tick's spikes (so coincident spikes do not see each other), pre spikes first, and then ``advance`` runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eqspike.core.errors import PlasticityError
from eqspike.kernels.rules import advance as _advance
from eqspike.kernels.rules import bind, on_post, on_pre


@dataclass(frozen=True)
class Plasticity:
    """A plasticity rule as the engine takes it.

    Parameters
    ----------
    parameters : a named tuple of floats and ints, of a class of its own: the functions are found by that class.
    traces : names of the traces per neuron, in the order of the rows of ``traces`` (n_traces, n).
    advance : ``advance(parameters, traces, spikes, tick)``, moves a layer's traces by one tick. Rows of ``traces`` may
        be longer than the layer: loop over ``range(spikes.size)``. The functions must not allocate.
    on_pre, on_post : ``(parameters, weight, pre, i, post, j)``, what a spike of neuron i (on_post: j) asks for.
    memory : further rows of ``traces`` that the rule keeps to itself, after the named ones.
    rate_trace : the row that estimates the firing rate, which the nudge compares with its target.
    traces_sources : whether spiking inputs have traces, and so whether post spikes trigger input synapses.
    contrastive : whether updates belong to the nudged phase alone and scale with 1 / beta.

    Raises
    ------
    PlasticityError
        if the parameters are no named tuple, or a function does not take the arguments above.
    """

    parameters: tuple
    traces: tuple[str, ...]
    advance: Callable
    on_pre: Callable
    on_post: Callable
    memory: int = 0
    rate_trace: int = 0
    traces_sources: bool = True
    contrastive: bool = False

    def __post_init__(self) -> None:
        kind = type(self.parameters)
        if not hasattr(kind, "_fields"):
            raise PlasticityError(
                "the parameters must be a named tuple of a class of their own.",
                field="parameters",
                remedy="Declare one with typing.NamedTuple; its class is how the loop finds the rule's functions.",
            )
        for name, function, model in (
            ("advance", self.advance, _advance),
            ("on_pre", self.on_pre, on_pre),
            ("on_post", self.on_post, on_post),
        ):
            wanted, found = len(inspect.signature(model).parameters), _arity(function)
            if found != wanted:
                names = ", ".join(inspect.signature(model).parameters)
                raise PlasticityError(
                    f"the function takes {found} arguments, not {wanted}.", field=name, remedy=f"Expected: ({names})."
                )
        if not self.traces or not 0 <= self.rate_trace < len(self.traces):
            raise PlasticityError(
                "at least one trace must be declared.", field="traces", remedy="Name the rates' trace."
            )
        bind(kind, self.advance, self.on_pre, self.on_post)

    @property
    def rows(self) -> int:
        """Rows of the traces array of a layer."""
        return len(self.traces) + self.memory

    def typed(self, dtype: np.dtype) -> tuple:
        """Return the parameters with every float in the engine's precision."""
        kind = type(self.parameters)
        return kind(*(dtype.type(value) if isinstance(value, float) else value for value in self.parameters))

    @property
    def traits(self) -> tuple[int, int, bool]:
        """What the kernel asks of a rule: (rate_trace, declared_traces, sources_traced)."""
        return self.rate_trace, len(self.traces), self.traces_sources


def _arity(function: Callable) -> int:
    return len(inspect.signature(getattr(function, "py_func", function)).parameters)

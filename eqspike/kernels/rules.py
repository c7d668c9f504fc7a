"""How the loop calls a plasticity rule: by the type of the rule's parameters, so that compiled loops can be cached.

A rule is a named tuple of parameters together with three small functions; :func:`bind` ties them. Inside kernels
``advance(parameters, ...)``, ``on_pre(parameters, ...)`` and ``on_post(parameters, ...)`` resolve to the functions
bound to the type of ``parameters``, at compile time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from eqspike.core.errors import PlasticityError
from eqspike.core.jit import inline, resolve_by_type


class Functions(NamedTuple):
    """The three compiled functions of a rule."""

    advance: Callable
    on_pre: Callable
    on_post: Callable


_BOUND: dict[type, Functions] = {}


def bind(parameters: type, advance: Callable, on_pre: Callable, on_post: Callable) -> None:
    """Tie a rule's functions to the named tuple class of its parameters (see eqspike.learning.plasticity).

    Raises
    ------
    PlasticityError
        if the class already stands for other functions: loops compiled with those would go on using them.
    """
    plain = _plain((advance, on_pre, on_post))
    if parameters in _BOUND:
        if plain_functions(parameters) != plain:
            raise PlasticityError(
                f"the class {parameters.__name__} already belongs to other functions.",
                field="parameters",
                remedy="Give every rule a named tuple class of its own.",
            )
        return
    _BOUND[parameters] = Functions(*map(inline, plain))


def plain_functions(parameters: type) -> Functions:
    """Return the functions bound to a class as plain Python, for a handful of calls that are not worth compiling."""
    return _plain(_BOUND[parameters])


def _plain(functions: Iterable[Callable]) -> Functions:
    return Functions(*(getattr(function, "py_func", function) for function in functions))


def advance(parameters, traces, spikes, tick):
    """Advance the traces of a layer (n_traces, n) by the tick whose spikes (n,) are given, 0 or 1 each."""
    return _BOUND[type(parameters)].advance(parameters, traces, spikes, tick)


def on_pre(parameters, weight, pre, i, post, j):
    """Return the update that a spike of pre neuron i asks for at its synapse onto post neuron j.

    ``pre`` and ``post`` are the traces (n_traces, n) of the two layers, as they stood before this tick's spikes.
    """
    return _BOUND[type(parameters)].on_pre(parameters, weight, pre, i, post, j)


def on_post(parameters, weight, pre, i, post, j):
    """Return the update that a spike of post neuron j asks for at its synapse from pre neuron i."""
    return _BOUND[type(parameters)].on_post(parameters, weight, pre, i, post, j)


resolve_by_type(advance, lambda kind: _BOUND[kind].advance)
resolve_by_type(on_pre, lambda kind: _BOUND[kind].on_pre)
resolve_by_type(on_post, lambda kind: _BOUND[kind].on_post)

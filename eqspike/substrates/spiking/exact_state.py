"""The state of a simulation in continuous time at its beginning, and room for what is under way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.kernels import exact_layout as at
from eqspike.kernels.event_queue import BY_TIME, COUNT, FIRST, HEAD, ROOM, Arrivals, Heap
from eqspike.kernels.exact_layout import Inputs, Program, State, Traces
from eqspike.kernels.simulation_plasticity import NoRule
from eqspike.network.description import Network
from eqspike.network.inputs import Input, SpikeList

_FIRST_ROOM = 64  # arrivals a queue has room for at first


def build_state(network: Network, program: Program, weights: np.ndarray, initial: Mapping[str, np.ndarray]) -> State:
    """Return the state at time 0: potentials as given, else at rest.

    Raises
    ------
    ConfigError
        if ``initial`` does not fit the layers.
    """
    known = {layer.name: layer for layer in network.layers if layer.kind == "lif"}
    for name in initial:
        if name not in known:
            raise ConfigError(
                "no such layer of neurons.", field=f"initial.{name}", remedy=f"Known: {', '.join(known)}."
            )
    n_layers, n = len(network.layers), sum(layer.size for layer in network.layers)
    potential = np.zeros((n, 2))
    for number, layer in enumerate(network.layers):
        if layer.kind == "lif":
            start = program.layers[number, at.START]
            given = np.asarray(initial.get(layer.name, layer.neuron.v_rest), float)
            if given.shape not in ((), (layer.size,)) or not np.isfinite(given).all():
                raise ConfigError(
                    f"potentials of shape {given.shape}, or not finite.",
                    field=f"initial.{layer.name}",
                    remedy=f"Give one number, or {layer.size}.",
                )
            if np.any(given):
                potential[start : start + layer.size, at.V] = given
    return State(
        potential, _heap(n), _heap(n_layers), _heap(len(network.projections) + n_layers), np.zeros(1),
        np.zeros(3, np.int64), weights, np.full(n_layers, -np.inf), np.zeros(n_layers, np.int64),
    )  # fmt: skip


def _heap(n: int) -> Heap:
    return Heap(
        np.zeros(max(n, 1), np.int32), np.full(max(n, 1), -1, np.int32), np.zeros(max(n, 1)), np.zeros(1, np.int64)
    )


def build_traces(program: Program, rule) -> tuple[Traces, tuple]:
    """Return the traces of ``rule`` at all plastic ends, and its parameters; of no rule none."""
    taus = () if rule is None else rule.taus_s
    nearest = () if rule is None else rule.nearest
    bounds = (-np.inf, np.inf) if rule is None else (rule.w_min, rule.w_max)
    plastic = program.projections[program.projections[:, at.PLASTIC] == 1]
    ends = int(sum(program.layers[plastic[:, column], at.SIZE].sum() for column in (at.PRE, at.POST)))
    traces = Traces(
        np.zeros((len(taus), ends)), np.zeros(ends), np.array(taus, float), np.array(nearest, bool),
        np.array(bounds, float),
    )  # fmt: skip
    return traces, NoRule() if rule is None else rule.parameters


def build_inputs(network: Network, inputs: Mapping[str, Input]) -> Inputs:
    """Return input spikes in order and the rates of Poisson processes, superposed over each layer."""
    n = len(network.layers)
    table, rates = np.zeros((2 * n, 5), np.int64), np.zeros((2 * n, 2))
    times, neurons, size = [np.zeros(0)], [np.zeros(0, np.int64)], 0
    for number, layer in enumerate(network.layers):
        given = inputs.get(layer.name)
        channel = number if layer.kind == "source" else n + number
        if isinstance(given, SpikeList):
            when, who = given.sorted(layer.size, f"inputs.{layer.name}")
            table[channel, : at.EVENT] = at.LISTED, size, size + when.size
            times.append(when)
            neurons.append(who)
            size += when.size
        elif given is not None and given.rate_hz > 0:
            table[channel, at.INPUT] = at.DRAWN
            rates[channel] = layer.size * given.rate_hz, given.weight or 0.0
    return Inputs(table, rates, np.concatenate(times), np.concatenate(neurons))


def build_arrivals(program: Program) -> Arrivals:
    """Return one empty queue a projection."""
    n = program.projections.shape[0]
    table = np.zeros((n, 6), np.int64)
    table[:, FIRST], table[:, ROOM] = _FIRST_ROOM * np.arange(n), _FIRST_ROOM
    table[:, BY_TIME] = program.projections[:, at.OWN_DELAY]
    room = _FIRST_ROOM * max(n, 1)
    return Arrivals(table, np.zeros(room), np.zeros(room, np.int32), np.zeros(room, np.int64))


def with_room(arrivals: Arrivals, p: int) -> Arrivals:
    """Return the same queues, queue ``p`` with twice the room."""
    table = arrivals.table.copy()
    table[p, ROOM] *= 2
    table[:, FIRST] = np.concatenate([[0], np.cumsum(table[:-1, ROOM])])
    table[:, HEAD] = 0
    grown = Arrivals(table, *(np.zeros(table[:, ROOM].sum(), array.dtype) for array in arrivals[1:]))
    for old, new in zip(arrivals.table, table, strict=True):
        places = old[FIRST] + (old[HEAD] + np.arange(old[COUNT])) % old[ROOM]
        for before, after in zip(arrivals[1:], grown[1:], strict=True):
            after[new[FIRST] : new[FIRST] + old[COUNT]] = before[places]
    return grown

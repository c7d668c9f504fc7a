"""One tick of a layer's membranes: exact propagators in real numbers, or shifts and limits in a chip's integers.

The functions resolve by the type of ``program``; each takes the slices of one layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eqspike.core.jit import apart, inline, resolve_by_type
from eqspike.core.lanes import LANES, append, at_least, below, load, select, store, tally
from eqspike.kernels.simulation_layout import (
    ADAPT_INTO,
    ADAPT_KEEP,
    ADAPT_STEP,
    DECAY,
    FIRST,
    HARD,
    INTO,
    KEEP,
    NO_LEAK,
    REFRACTORY,
    RESET,
    SIZE,
    THRESHOLD,
    FixedProgram,
    Program,
)


def leak(program, layer, v, constant):
    """Move potentials by a tick of leak and of constant drive."""
    return _KINDS[type(program)].leak(program, layer, v, constant)


def inflow(program, channel, v, current):
    """Move potentials by a tick of a channel's current, and the current by its decay."""
    return _KINDS[type(program)].inflow(program, channel, v, current)


def adapt(program, layer, v, adaptation):
    """Move potentials by a tick of adaptation, and adaptation by its decay."""
    return _KINDS[type(program)].adapt(program, layer, v, adaptation)


def limit(program, v):
    """Fit potentials into their width; return how many did not."""
    return _KINDS[type(program)].limit(program, v)


def in_one_pass(program, layer, n_channels):
    """Return whether :func:`advance` does all of a tick's passes over a layer with so many channels."""
    return _KINDS[type(program)].in_one_pass(program, layer, n_channels)


def advance(program, layer, channels, v, constant, pause, first, second, ids, at):
    """Do all passes of a tick over a layer in one, bit for bit the same; return the end of ``ids``.

    Potentials move by ``constant``, and by the currents ``first`` and ``second`` of two ``channels``, -1 where there is
    none. Rows run over whole lanes. The numbers of the neurons that spike are appended to ``ids`` from ``at``, where
    there has to be room for a row.
    """
    return _KINDS[type(program)].advance(program, layer, channels, v, constant, pause, first, second, ids, at)


@inline
def _leak(program, layer, v, constant):
    keep = program.neurons[layer, KEEP]
    for i in range(v.size):
        v[i] = keep * v[i] + constant[i]


@inline
def _inflow(program, channel, v, current):
    decay, into = program.filters[channel, DECAY], program.filters[channel, INTO]
    for i in range(v.size):
        g = current[i]
        v[i] += into * g
        current[i] = decay * g


@inline
def _adapt(program, layer, v, adaptation):
    keep, into = program.neurons[layer, ADAPT_KEEP], program.neurons[layer, ADAPT_INTO]
    for i in range(v.size):
        a = adaptation[i]
        v[i] -= into * a
        adaptation[i] = keep * a


@inline
def _limit(program, v):
    return np.int64(0)


@inline
def _lost(value, shift):
    """Return the share 2**-shift of ``value`` rounded away from zero, so that what decays reaches zero."""
    return (value + ((1 << shift) - 1 if value > 0 else 0)) >> shift


@inline
def _added(value, shift):
    """Return the share 2**-shift of ``value`` rounded to nearest, halves up."""
    return (value + ((1 << shift) >> 1)) >> shift


@inline
def _leak_fixed(program, layer, v, constant):
    shift = program.neurons[layer, KEEP]
    if shift == NO_LEAK:
        for i in range(v.size):
            v[i] += constant[i]
        return
    for i in range(v.size):
        v[i] += constant[i] - _lost(v[i], shift)


@inline
def _inflow_fixed(program, channel, v, current):
    shift, into = program.filters[channel, DECAY], program.filters[channel, INTO]
    for i in range(v.size):
        g = current[i]
        v[i] += _added(g, into)
        current[i] = g - _lost(g, shift)


@inline
def _adapt_fixed(program, layer, v, adaptation):
    shift, into = program.neurons[layer, ADAPT_KEEP], program.neurons[layer, ADAPT_INTO]
    for i in range(v.size):
        a = adaptation[i]
        v[i] -= _added(a, into)
        adaptation[i] = a - _lost(a, shift)


@inline
def _limit_fixed(program, v):
    low, high, wraps = program.limits[0], program.limits[1], program.limits[2]
    outside, span = np.int64(0), high - low + 1
    for i in range(v.size):
        u = v[i]
        if u < low or u > high:
            outside += 1
            v[i] = low + (u - low) % span if wraps else min(max(u, low), high)
    return outside


@inline
def fire(program, layer, v, pause, spikes, hard, refractory):
    """Let neurons at the threshold spike and reset, and hold those that rest; return how many spiked."""
    threshold, reset = program.neurons[layer, THRESHOLD], program.neurons[layer, RESET]
    span, fired = threshold - reset, np.int32(0)
    if refractory > 0:
        for i in range(v.size):
            left = pause[i]
            u = reset if left > 0 else v[i]
            spike = u >= threshold
            v[i] = reset if spike else u
            pause[i] = np.int32(refractory) if spike else max(left - np.int32(1), np.int32(0))
            spikes[i] = spike
            fired += np.int32(spike)
    elif hard:
        for i in range(v.size):
            spike = v[i] >= threshold
            v[i] = reset if spike else v[i]
            spikes[i] = spike
            fired += np.int32(spike)
    else:
        for i in range(v.size):
            spike = v[i] >= threshold
            v[i] = v[i] - span if spike else v[i]
            spikes[i] = spike
            fired += np.int32(spike)
    return fired


@inline
def adapt_at_spikes(program, layer, adaptation, spikes):
    """Let the adaptation of neurons that spiked grow by its step."""
    step = program.neurons[layer, ADAPT_STEP]
    for i in range(spikes.size):
        adaptation[i] += step * spikes[i]


class _Kind(NamedTuple):
    leak: object
    inflow: object
    adapt: object
    limit: object
    in_one_pass: object
    advance: object


@inline
def _in_one_pass(program, layer, n_channels):
    return n_channels <= 2 and program.neurons[layer, ADAPT_STEP] == 0


@inline
def _advance(program, layer, channels, v, constant, pause, first, second, ids, at):
    neuron, filters = program.neurons[layer], program.filters
    a, b = max(channels[0], 0), max(channels[1], 0)
    own = (neuron[KEEP], constant, neuron[THRESHOLD], neuron[RESET], neuron[THRESHOLD] - neuron[RESET])
    if channels[0] < 0:
        kept = (constant, constant, constant, constant)  # of no current
    else:
        kept = (filters[a, DECAY], filters[a, INTO], filters[b, DECAY], filters[b, INTO])
    return _one_pass(program.layers[layer], channels, own, kept, v, pause, first, second, ids, at)


@apart
def _one_pass(row, channels, neuron, filters, v, pause, first, second, ids, at):
    keep, constant, threshold, reset, span = neuron
    decay, into, second_decay, second_into = filters
    hard, refractory, number, n = row[HARD], row[REFRACTORY], row[FIRST], row[SIZE]
    rest, one, none = pause.dtype.type(refractory), pause.dtype.type(1), pause.dtype.type(0)
    for k in range(0, n, LANES):
        u = load(v, k) * keep + constant
        if channels[0] >= 0:
            g = load(first, k)
            u = u + g * into
            store(first, k, g * decay)
        if channels[1] >= 0:
            g = load(second, k)
            u = u + g * second_into
            store(second, k, g * second_decay)
        if refractory > 0:
            left = load(pause, k)
            u = select(left >= one, reset, u)
            fires = u >= threshold
            store(pause, k, select(fires, rest, at_least(left - one, none)))
            store(v, k, select(fires, reset, u))
        else:
            fires = u >= threshold
            store(v, k, select(fires, reset, u) if hard else select(fires, u - span, u))
        if tally(fires) > 0:
            fires = select(below(n - k), fires, False)  # not what fills up the last lanes
            append(ids, at, number + k, fires)
            at += tally(fires)
    return at


@inline
def _in_one_pass_fixed(program, layer, n_channels):
    return False


@inline
def _advance_fixed(program, layer, channels, v, constant, pause, first, second, ids, at):
    return at


_KINDS = {
    Program: _Kind(_leak, _inflow, _adapt, _limit, _in_one_pass, _advance),
    FixedProgram: _Kind(_leak_fixed, _inflow_fixed, _adapt_fixed, _limit_fixed, _in_one_pass_fixed, _advance_fixed),
}

resolve_by_type(leak, lambda kind: _KINDS[kind].leak)
resolve_by_type(inflow, lambda kind: _KINDS[kind].inflow)
resolve_by_type(adapt, lambda kind: _KINDS[kind].adapt)
resolve_by_type(limit, lambda kind: _KINDS[kind].limit)
resolve_by_type(in_one_pass, lambda kind: _KINDS[kind].in_one_pass)
resolve_by_type(advance, lambda kind: _KINDS[kind].advance)

"""Weight changes in continuous time: traces decay when they are looked at, from the time when they last were."""

from __future__ import annotations

from math import exp

from eqspike.core.jit import inline, splice
from eqspike.kernels.exact_layout import (
    DENSE,
    IN,
    IN_END,
    NARROW,
    ONE_TO_ONE,
    POST,
    POST_TRACES,
    PRE,
    PRE_TRACES,
    SIZE,
    SOURCE_STARTS,
    SOURCES,
    SOURCES_WIDE,
    STARTS,
    TARGETS,
    WEIGHTS,
    WIRING,
)
from eqspike.kernels.layout import SATURATIONS, SUPPRESSED, TRACE_UPDATES, WEIGHT_WRITES
from eqspike.kernels.rules import on_post
from eqspike.kernels.simulation_plasticity import find


@inline
def decay_to(traces, column, time):
    """Bring the traces of one neuron to the present."""
    gap = time - traces.times[column]
    if gap > 0:
        for r in range(traces.taus.size):
            traces.values[r, column] *= exp(-gap / traces.taus[r])
        traces.times[column] = time


@inline
def grow(traces, column):
    """Let the traces of a neuron that fired grow by one, or be one."""
    for r in range(traces.taus.size):
        traces.values[r, column] = 1.0 if traces.nearest[r] else traces.values[r, column] + 1.0


@inline
def change(weights, at, asked, bounds, table):
    """Add ``asked`` to a weight, clip it, and count."""
    before = float(weights[at])
    wanted = before + asked
    weights[at] = min(max(wanted, bounds[0]), bounds[1])
    table[SATURATIONS] += wanted < bounds[0] or wanted > bounds[1]
    table[WEIGHT_WRITES] += weights[at] != before
    table[SUPPRESSED] += weights[at] == before


@splice
def synapse_from(program, row, i, j, same):
    """Return the number within its projection of the synapse from ``i`` onto ``j``, of several number ``same``."""
    if row[WIRING] == DENSE:
        return i * program.layers[row[POST], SIZE] + j
    if row[WIRING] == ONE_TO_ONE:
        return j
    first, last = program.starts[row[STARTS] + i], program.starts[row[STARTS] + i + 1]
    at = row[TARGETS]
    if row[WIRING] == NARROW:
        return find(program.narrow, at + first, at + last, j) - at + same
    return find(program.wide, at + first, at + last, j) - at + same


@splice
def learn_from_spike(program, state, traces, counts, parameters, layer, j, time):
    """Let a spike of neuron ``j`` of ``layer`` change the plastic synapses onto it; then its traces grow.

    A sparse synapse is found by its pre neuron, in the list of the sources of ``j``, and by bisection in the row of
    that neuron: an index a synapse instead of a transposed copy of the weights.
    """
    for link in range(program.layers[layer, IN], program.layers[layer, IN_END]):
        p = program.links[link]
        row, table = program.projections[p], counts.projections[p]
        a, b = row[PRE_TRACES], row[POST_TRACES]
        pre = traces.values[:, a : a + program.layers[row[PRE], SIZE]]
        post = traces.values[:, b : b + program.layers[layer, SIZE]]
        first, last = 0, program.layers[row[PRE], SIZE]
        if row[WIRING] == ONE_TO_ONE:
            first, last = j, j + 1
        elif row[WIRING] != DENSE:
            first, last = program.starts[row[SOURCE_STARTS] + j], program.starts[row[SOURCE_STARTS] + j + 1]
        decay_to(traces, b + j, time)
        previous, same = -1, 0
        for e in range(first, last):
            i = e
            if row[WIRING] != DENSE and row[WIRING] != ONE_TO_ONE:
                place = row[SOURCES] + e
                i = program.wide[place] if row[SOURCES_WIDE] else program.narrow[place]
            same = same + 1 if i == previous else 0  # a pair joined twice stands twice, one after the other
            previous = i
            at = row[WEIGHTS] + synapse_from(program, row, i, j, same)
            decay_to(traces, a + i, time)
            asked = on_post(parameters, float(state.weights[at]), pre, i, post, j)
            change(state.weights, at, asked, traces.bounds, table)
        grow(traces, b + j)
        counts.layers[row[PRE], TRACE_UPDATES] += (last - first) * traces.taus.size
        counts.layers[layer, TRACE_UPDATES] += traces.taus.size

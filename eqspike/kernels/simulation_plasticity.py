"""Weight changes on exponential traces: arrivals change rows of synapses, post spikes columns."""

from __future__ import annotations

from typing import NamedTuple

from eqspike.core.jit import inline, splice
from eqspike.kernels.rules import bind, on_post, on_pre
from eqspike.kernels.simulation_layout import (
    DENSE,
    FIRST,
    PLASTIC,
    POST,
    PRE,
    ROW,
    SATURATIONS,
    SIZE,
    SOURCE_STARTS,
    SOURCES,
    SOURCES_WIDE,
    SPARSE,
    STARTS,
    SUPPRESSED,
    TARGETS,
    TOTAL,
    WEIGHTS,
    WIDE,
    WIRING,
    WRITES,
)
from eqspike.kernels.weight_steps import decayed, moved, one


class NoRule(NamedTuple):
    """The parameters of a simulation in which nothing learns."""

    nothing: float = 0.0


def _leave(parameters, traces, spikes, tick):
    pass


def _nothing(parameters, weight, pre, i, post, j):
    return parameters.nothing


bind(NoRule, _leave, _nothing, _nothing)


@inline
def keep_within(weights, at, before, wanted, bounds, table):
    """Store a weight, clipped to its bounds, and count what became of the update."""
    after = min(max(wanted, bounds[0]), bounds[1])
    weights[at] = after
    table[WRITES] += after != before
    table[SUPPRESSED] += after == before
    table[SATURATIONS] += after != wanted


@inline
def changed_by_pre(program, p, parameters, weights, at, pre, i, post, j, first, chance, table):
    """Change one weight by what an arrival asks for; ``first`` is the number of post neuron 0 in its layer."""
    before = weights[at]
    asked = on_pre(parameters, before, pre, i, post, j)
    seed, stream, tick = chance
    wanted = moved(program, program.projections[p], before, asked, i, first + j, seed, stream + 2 * p, tick)
    keep_within(weights, at, before, wanted, program.bounds[p], table)


@inline
def changed_by_post(program, p, parameters, weights, at, pre, i, post, j, first, chance, table):
    """Change one weight by what a post spike asks for."""
    before = weights[at]
    asked = on_post(parameters, before, pre, i, post, j)
    seed, stream, tick = chance
    wanted = moved(program, program.projections[p], before, asked, i, first + j, seed, stream + 2 * p + 1, tick)
    keep_within(weights, at, before, wanted, program.bounds[p], table)


@inline
def find(targets, first, last, target):
    """Return the first place of ``target`` in ascending ``targets[first:last]``."""
    while first < last:
        middle = (first + last) // 2
        if targets[middle] < target:
            first = middle + 1
        else:
            last = middle
    return first


@splice
def learn_from_arrivals(program, p, weights, traces, ids, parameters, chance, table):
    """Let arrived spikes ``ids`` change their synapses of projection ``p``; return how many they looked at."""
    row = program.projections[p]
    size, zero = program.layers[row[POST], SIZE], program.layers[row[POST], FIRST]
    pre, post = traces.values[2 * row[PLASTIC]], traces.values[2 * row[PLASTIC] + 1]
    looked = 0
    for i in ids:
        if row[WIRING] == DENSE:
            for j in range(size):
                at = row[WEIGHTS] + i * row[ROW] + j
                changed_by_pre(program, p, parameters, weights, at, pre, i, post, j, zero, chance, table)
            looked += size
        elif row[WIRING] == SPARSE:
            first, last = program.starts[row[STARTS] + i], program.starts[row[STARTS] + i + 1]
            for e in range(first, last):
                place = row[TARGETS] + e
                j = program.wide[place] if row[WIDE] else program.narrow[place]
                changed_by_pre(program, p, parameters, weights, row[WEIGHTS] + e, pre, i, post, j, zero, chance, table)
            looked += last - first
        else:
            j = program.starts[row[STARTS] + i]
            if j >= 0:
                changed_by_pre(program, p, parameters, weights, row[WEIGHTS] + j, pre, i, post, j, zero, chance, table)
                looked += 1
    return looked


@splice
def learn_from_spikes(program, p, weights, traces, ids, parameters, chance, table):
    """Let post spikes ``ids`` change their synapses of projection ``p``; return how many they looked at.

    A sparse synapse is found by its pre neuron in the list of the post neuron's sources, then by bisection in that
    neuron's row: two bytes a synapse instead of a transposed copy.
    """
    row = program.projections[p]
    n_pre, zero = program.layers[row[PRE], TOTAL], program.layers[row[POST], FIRST]
    pre, post = traces.values[2 * row[PLASTIC]], traces.values[2 * row[PLASTIC] + 1]
    looked = 0
    for own in ids:
        j = own - zero
        if row[WIRING] == DENSE:
            for i in range(n_pre):
                at = row[WEIGHTS] + i * row[ROW] + j
                changed_by_post(program, p, parameters, weights, at, pre, i, post, j, zero, chance, table)
            looked += n_pre
        elif row[WIRING] == SPARSE:
            first, last = program.starts[row[SOURCE_STARTS] + j], program.starts[row[SOURCE_STARTS] + j + 1]
            for e in range(first, last):
                place = row[SOURCES] + e
                i = program.wide[place] if row[SOURCES_WIDE] else program.narrow[place]
                lo, hi = program.starts[row[STARTS] + i], program.starts[row[STARTS] + i + 1]
                if row[WIDE]:
                    at = find(program.wide, row[TARGETS] + lo, row[TARGETS] + hi, j)
                else:
                    at = find(program.narrow, row[TARGETS] + lo, row[TARGETS] + hi, j)
                while True:  # a pair joined twice stands twice in the row, and once in the sources
                    place = row[WEIGHTS] + at - row[TARGETS]
                    changed_by_post(program, p, parameters, weights, place, pre, i, post, j, zero, chance, table)
                    looked += 1
                    at += 1
                    if at == row[TARGETS] + hi:
                        break
                    if (program.wide[at] if row[WIDE] else program.narrow[at]) != j:
                        break
        else:
            i = program.starts[row[SOURCE_STARTS] + j]
            changed_by_post(program, p, parameters, weights, row[WEIGHTS] + j, pre, i, post, j, zero, chance, table)
            looked += 1
    return looked


@inline
def decay_traces(program, values, keep):
    """Let every trace of an end decay by a tick."""
    for k in range(values.shape[0]):
        for i in range(values.shape[1]):
            values[k, i] = decayed(program, values[k, i], keep[k])


@inline
def bump_traces(program, values, keep, nearest, ids, first):
    """Let the traces of neurons that fired in this tick grow by one, or be one, and decay to the next tick."""
    for own in ids:
        i = own - first
        for k in range(values.shape[0]):
            grown = one(program, keep[k])
            values[k, i] = grown if nearest[k] else values[k, i] + grown

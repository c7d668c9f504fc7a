"""Delivery of spikes to the targets of a projection: the work is that of the synapses which are reached."""

from __future__ import annotations

from eqspike.core.jit import inline, splice
from eqspike.kernels.simulation_layout import (
    CONVOLUTION,
    DENSE,
    DEPTH,
    MAPS,
    OUT_HEIGHT,
    OUT_WIDTH,
    PADDING,
    ROW,
    SIDE,
    SPARSE,
    STARTS,
    TARGETS,
    UNIFORM,
    WEIGHTS,
    WIDE,
    WIDTH,
    WIRING,
)


@inline
def add_row(out, row):
    """Add a row of weights, as long as ``out``."""
    for k in range(out.size):
        out[k] += row[k]


@inline
def scatter(out, targets, weights):
    """Add every weight to its target."""
    for e in range(targets.size):
        out[targets[e]] += weights[e]


@inline
def scatter_one(out, targets, weight):
    """Add one weight to every target."""
    for e in range(targets.size):
        out[targets[e]] += weight


@inline
def convolve(out, row, weights, source):
    """Add the kernel around the place of neuron ``source`` of the pre map; return the number of synapses reached."""
    depth, side, maps = row[DEPTH], row[SIDE], row[MAPS]
    channel, place = source % depth, source // depth
    y, x = place // row[WIDTH] + row[PADDING], place % row[WIDTH] + row[PADDING]
    reached = 0
    for a in range(max(0, y - row[OUT_HEIGHT] + 1), min(side, y + 1)):
        for b in range(max(0, x - row[OUT_WIDTH] + 1), min(side, x + 1)):
            at = ((y - a) * row[OUT_WIDTH] + (x - b)) * maps
            filled = ((a * side + b) * depth + channel) * maps
            for k in range(maps):
                out[at + k] += weights[filled + k]
            reached += maps
    return reached


@splice
def deliver(program, weights, row, out, ids, size):
    """Deliver the spikes ``ids`` of the pre layer into ``out``; return the number of synapses reached.

    ``size`` is the number of post neurons; a padded row of a dense projection ends within ``out``.
    """
    reached = 0
    if row[WIRING] == DENSE:
        for i in ids:
            base = row[WEIGHTS] + i * row[ROW]
            add_row(out[: row[ROW]], weights[base : base + row[ROW]])
        reached += ids.size * size
    elif row[WIRING] == SPARSE:
        for i in ids:
            at = row[STARTS] + i
            first, last = program.starts[at], program.starts[at + 1]
            reached += last - first
            lo, hi = row[TARGETS] + first, row[TARGETS] + last
            if row[UNIFORM]:
                weight = weights[row[WEIGHTS]]
                if row[WIDE]:
                    scatter_one(out, program.wide[lo:hi], weight)
                else:
                    scatter_one(out, program.narrow[lo:hi], weight)
            elif row[WIDE]:
                scatter(out, program.wide[lo:hi], weights[row[WEIGHTS] + first : row[WEIGHTS] + last])
            else:
                scatter(out, program.narrow[lo:hi], weights[row[WEIGHTS] + first : row[WEIGHTS] + last])
    elif row[WIRING] == CONVOLUTION:
        for i in ids:
            reached += convolve(out, row, weights[row[WEIGHTS] :], i)
    else:  # one-to-one: starts hold, for every pre neuron, its place in this part or -1
        for i in ids:
            target = program.starts[row[STARTS] + i]
            if target >= 0:
                out[target] += weights[row[WEIGHTS] + (0 if row[UNIFORM] else target)]
                reached += 1
    return reached

"""How convolutional binary networks learn: one contrast for all uses of a kernel's weight.

The rule is that of :mod:`eqspike.kernels.binary_learning`, but a sign also flips at its threshold, and an accumulator
may start from noise: so every synapse is looked at. A block of 32 output channels is worked out at a time.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline, kernel, popcount, splice
from eqspike.kernels.binary_layout import ACCUMULATOR_WRITES, NUDGED, WEIGHT_FLIPS, WEIGHT_WRITES
from eqspike.kernels.binary_maps_events import window
from eqspike.kernels.binary_maps_layout import (
    BLOCKS,
    CHANNEL,
    CHANNELS,
    HEIGHT,
    OFFSET,
    ROWS,
    SIZE,
    START,
    WIDE,
    WIDTH,
)
from eqspike.kernels.bits import LANES, MASK, add_scaled, clear


@inline
def add_difference(before, after, free, nudged, sums):
    """Add after x nudged - before x free."""
    for i in range(free.size):
        sums[i] += after * nudged[i] - before * free[i]


@inline
def add_patch(row, layer, place, at, value, below, part):
    """Add value x what the places below emit to the taps that they are seen through."""
    channels, width = layer[CHANNELS], layer[WIDTH]
    v, u, top, bottom, left, right = window(row, layer, place, at)
    for a in range(top, bottom):
        to, first = (a * row[WIDE] + left) * channels, ((v + a) * width + u + left) * channels
        length = (right - left) * channels
        add_scaled(below[first : first + length], value, part[to : to + length])


@inline
def add_contrast(row, layer, place, at, before, after, free, nudged, part):
    """Add after x nudged - before x free, what the places below emit, to the taps that they are seen through."""
    channels, width = layer[CHANNELS], layer[WIDTH]
    v, u, top, bottom, left, right = window(row, layer, place, at)
    for a in range(top, bottom):
        to, first = (a * row[WIDE] + left) * channels, ((v + a) * width + u + left) * channels
        length = (right - left) * channels
        add_difference(
            before, after, free[first : first + length], nudged[first : first + length], part[to : to + length]
        )


@splice
def contrast(row, below, above, c, n, ends, images, static, part):
    """Add one sample's contrast of output channel ``c`` to ``part``; return whether there was any."""
    any_part = False
    start, end = below[START], below[START] + below[SIZE]
    for place in range(above[HEIGHT] * above[WIDTH]):
        i = above[START] + place * above[CHANNELS] + c
        before, after = ends.emitted[0, n, i], ends.emitted[1, n, i]
        at, later = ends.where[0, n, i], ends.where[1, n, i]
        if static:
            if before != after:
                any_part = True
                add_patch(row, below, place, at, after - before, images[n], part)
        elif before != 0 or after != 0:
            any_part = True
            free, nudged = ends.emitted[0, n, start:end], ends.emitted[1, n, start:end]
            if at == later:
                add_contrast(row, below, place, at, before, after, free, nudged, part)
            else:
                add_patch(row, below, place, later, after, nudged, part)
                add_patch(row, below, place, at, -before, free, part)
    return any_part


@inline
def take_in(part, total):
    """Add one sample's contrast to the mini-batch's, and clear it; return how many of its terms are not zero."""
    terms = 0
    for r in range(part.size):
        terms += part[r] != 0
        total[r] += part[r]
        part[r] = 0
    return terms


@inline
def accumulate(block, accumulators, gradient, coefficient, limit):
    """Add ``coefficient`` x ``gradient`` (lanes, rows) to a block's accumulators; return how many signs flip."""
    flips = 0
    for r in range(block.size):
        up, down = np.uint32(0), np.uint32(0)
        own = accumulators[r * LANES : (r + 1) * LANES]
        for lane in range(LANES):
            held = own[lane] + coefficient * np.float32(gradient[lane, r])
            own[lane] = held
            up |= MASK[lane] if held >= limit else np.uint32(0)
            down |= MASK[lane] if held <= -limit else np.uint32(0)
        flipped = (block[r] & down) | (~block[r] & up)
        block[r] ^= flipped
        flips += popcount(np.uint32(flipped))
    return flips


@splice
def shift_biases(program, weights, counts, ends, rates, sums):
    """Add the layers' ``rates`` x the contrast of what they emit, all places of a channel together, to the biases."""
    layers, n_projections, one = program.layers, program.projections.shape[0], np.int8(1)
    for k in range(1, layers.shape[0]):
        channels, channel, writes = layers[k, CHANNELS], layers[k, CHANNEL], 0
        for c in range(channels):
            sums[c] = 0
        for n in range(ends.emitted.shape[1]):
            for place in range(layers[k, HEIGHT] * layers[k, WIDTH]):
                first = layers[k, START] + place * channels
                end = first + channels
                add_difference(one, one, ends.emitted[0, n, first:end], ends.emitted[1, n, first:end], sums)
        for c in range(channels):
            changed = weights.bias[channel + c] + rates[k - 1] * np.float32(sums[c])
            writes += changed != weights.bias[channel + c]
            weights.bias[channel + c] = changed
        counts.projections[NUDGED, n_projections + k - 1, WEIGHT_WRITES] += writes


def learn(program, weights, counts, accumulators, ends, images, gradient, part, coefficients, limits, rates):
    """Change signs and biases by what the phases of a mini-batch differ in.

    Parameters
    ----------
    accumulators : in the order of the bits, one number each.
    images : (n, pixels) uint8.
    gradient, part : scratch (32, rows), (rows,) of the most rows that a block has, at least as many as a layer has
        channels; integers for binary activations.
    coefficients, limits : (P,) of M, real.
    rates : (P,) of the biases, real.
    """
    shift_biases(program, weights, counts, ends, rates, part)
    for p in range(program.projections.shape[0]):
        row, below, above = program.projections[p], program.layers[p], program.layers[p + 1]
        rows, flips, writes = row[ROWS], 0, 0
        own = part[:rows]
        clear(own)
        for k in range(row[BLOCKS]):
            lanes = min(LANES, above[CHANNELS] - k * LANES)
            for lane in range(LANES):
                clear(gradient[lane, :rows])
            for lane in range(lanes):
                for n in range(images.shape[0]):
                    if contrast(row, below, above, k * LANES + lane, n, ends, images, p == 0, own):
                        writes += take_in(own, gradient[lane, :rows])
            first = row[OFFSET] + k * rows
            flips += accumulate(
                weights.bits[first : first + rows], accumulators[first * LANES : (first + rows) * LANES],
                gradient[:, :rows], coefficients[p], limits[p],
            )  # fmt: skip
        counts.projections[NUDGED, p, WEIGHT_FLIPS] += flips
        counts.projections[NUDGED, p, WEIGHT_WRITES] += flips
        counts.projections[NUDGED, p, ACCUMULATOR_WRITES] += writes


learn = kernel(learn)

"""How binary weights learn: a contrast of two phases is low-passed in an accumulator per synapse, and flips the sign.

m <- (1 - gamma) m + gamma g, a flip where -sign(w) m > tau. The accumulator holds M = m / (1 - gamma)^t, so that a
synapse without a gradient needs no update, and cannot flip: M stands still while its limit tau / (1 - gamma)^t grows.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline, kernel, popcount, splice
from eqspike.kernels.binary_layout import (
    ACCUMULATOR_WRITES,
    ALONG_PRE,
    NUDGED,
    OFFSET,
    POST,
    PRE,
    ROW,
    ROWS,
    SIZE,
    START,
    WEIGHT_FLIPS,
    WEIGHT_WRITES,
    WORD,
    WORDS,
)
from eqspike.kernels.bits import LANES, MASK, add_row, clear


@inline
def accumulate(row, accumulators, gradient, coefficient, limit):
    """Add ``coefficient`` x ``gradient`` to a row's accumulators, flip the signs that they oppose; return the flips."""
    flips = np.int64(0)
    for k in range(row.size):
        touched = False
        for lane in range(LANES):
            touched = touched or gradient[LANES * k + lane] != 0
        if touched:
            up, down = np.uint32(0), np.uint32(0)
            for lane in range(LANES):
                at = LANES * k + lane
                held = accumulators[at] + coefficient * np.float32(gradient[at])
                accumulators[at] = held
                up |= MASK[lane] if held > limit else np.uint32(0)
                down |= MASK[lane] if held < -limit else np.uint32(0)
            flipped = (row[k] & down) | (~row[k] & up)
            row[k] ^= flipped
            flips += popcount(np.uint32(flipped))
    return flips


@inline
def add_scaled(values, factor, sums):
    """Add ``factor`` x ``values``."""
    for i in range(values.size):
        sums[i] += factor * values[i]


@inline
def align(row, gradient):
    """Return the sum of ``gradient`` with the signs of a row."""
    total = np.float64(0)
    for k in range(row.size):
        part = np.float64(0)
        for lane in range(LANES):
            part += gradient[LANES * k + lane] if row[k] & MASK[lane] else -gradient[LANES * k + lane]
        total += part
    return total


@splice
def shift_biases(program, weights, counts, gradient, rates):
    """Add the layers' ``rates`` x ``gradient`` (N,) to the biases, and count those that change."""
    layers, n_projections = program.layers, program.projections.shape[0]
    for layer in range(1, layers.shape[0]):
        rate, writes = rates[layer - 1], np.int64(0)
        for i in range(layers[layer, START], layers[layer, START] + layers[layer, SIZE]):
            changed = weights.bias[i] + rate * np.float32(gradient[i])
            writes += changed != weights.bias[i]
            weights.bias[i] = changed
        counts.projections[NUDGED, n_projections + layer - 1, WEIGHT_WRITES] += writes


@splice
def rows_of(program, p):
    """Return which layer the rows of a projection belong to, and which lies along them."""
    row = program.projections[p]
    if row[ALONG_PRE] == 1:
        return row[POST], row[PRE]
    return row[PRE], row[POST]


@inline
def count_changes(row_free, row_nudged, free, nudged):
    """Return how many products of a row's activation with those along it differ between the phases; bits."""
    before, after, both = np.int64(0), np.int64(0), np.int64(0)
    for k in range(free.size):
        before += popcount(free[k])
        after += popcount(nudged[k])
        both += popcount(np.uint32(free[k] & nudged[k]))
    if row_free and row_nudged:
        return before + after - 2 * both
    return after if row_nudged else before


def learn_spiking(program, weights, counts, accumulators, ends, images, gradient, coefficients, limits, rates, aligned):
    """Change signs by what the phases of a mini-batch differ in, binary activations: sums of integers, exact.

    Parameters
    ----------
    accumulators : in the order of the bits, one number each.
    ends : bits of active neurons (n, W) at the end of both phases.
    images : (n, pixels) uint8.
    gradient : scratch (N,) int32.
    coefficients, limits : (P,) of M, real.
    rates : (L - 1,) of the biases, real.
    aligned : (P,) to which the sum of sign x gradient is added, or none, where it is not asked for.
    """
    clear(gradient)
    for n in range(images.shape[0]):
        add_row(ends.nudged[n], np.int32(1), gradient)
        add_row(ends.free[n], np.int32(-1), gradient)
    shift_biases(program, weights, counts, gradient, rates)
    for p in range(program.projections.shape[0]):
        own, along = rows_of(program, p)
        row = program.projections[p]
        width, word, words = row[ROW], program.layers[along, WORD], program.layers[along, WORDS]
        total = gradient[: width * LANES]
        flips, writes = np.int64(0), np.int64(0)
        for r in range(row[ROWS]):
            clear(total)
            active = False
            for n in range(images.shape[0]):
                free, nudged = ends.free[n, word : word + words], ends.nudged[n, word : word + words]
                if p == 0:
                    pixel = np.int32(images[n, r])
                    if pixel != 0:
                        for k in range(words):
                            on, off = np.uint32(nudged[k] & ~free[k]), np.uint32(free[k] & ~nudged[k])
                            if on | off:
                                active = True
                                writes += popcount(np.uint32(on | off))
                                for lane in range(LANES):
                                    change = pixel if on & MASK[lane] else np.int32(0)
                                    total[LANES * k + lane] += change - (pixel if off & MASK[lane] else np.int32(0))
                else:
                    at, mask = program.layers[own, WORD] + r // LANES, MASK[r % LANES]
                    row_free, row_nudged = (ends.free[n, at] & mask) != 0, (ends.nudged[n, at] & mask) != 0
                    if row_free or row_nudged:
                        active = True
                        writes += count_changes(row_free, row_nudged, free, nudged)
                        if row_nudged:
                            add_row(nudged, np.int32(1), total)
                        if row_free:
                            add_row(free, np.int32(-1), total)
            if active:
                at = row[OFFSET] + r * width
                if aligned.size > 0:
                    aligned[p] += align(weights.bits[at : at + width], total)
                flips += accumulate(
                    weights.bits[at : at + width],
                    accumulators[at * LANES : (at + width) * LANES],
                    total,
                    coefficients[p],
                    limits[p],
                )
        counts.projections[NUDGED, p, WEIGHT_FLIPS] += flips
        counts.projections[NUDGED, p, WEIGHT_WRITES] += flips
        counts.projections[NUDGED, p, ACCUMULATOR_WRITES] += writes


learn_spiking = kernel(learn_spiking)


def learn_graded(
    program, weights, counts, accumulators, ends, images, change, gradient, coefficients, limits, rates, aligned
):
    """Change signs by what the phases of a mini-batch differ in, real activations.

    Parameters
    ----------
    ends : states (n, N) at the end of both phases.
    change : scratch (n, N) real.
    gradient : scratch (N,) real.
    accumulators, images, coefficients, limits, rates, aligned : as in :func:`learn_spiking`.
    """
    samples = images.shape[0]
    clear(gradient)
    for n in range(samples):
        for i in range(change.shape[1]):
            change[n, i] = ends.nudged[n, i] - ends.free[n, i]
        add_scaled(change[n], np.float32(1), gradient)
    shift_biases(program, weights, counts, gradient, rates)
    for p in range(program.projections.shape[0]):
        own, along = rows_of(program, p)
        row = program.projections[p]
        width, first, start = row[ROW], program.layers[along, START], program.layers[own, START]
        end = first + width * LANES
        total = gradient[: width * LANES]
        flips, writes = np.int64(0), np.int64(0)
        for r in range(row[ROWS]):
            clear(total)
            for n in range(samples):
                if p == 0:
                    if images[n, r] != 0:
                        add_scaled(change[n, first:end], np.float32(images[n, r]), total)
                else:
                    row_free, row_nudged = ends.free[n, start + r], ends.nudged[n, start + r]
                    for i in range(width * LANES):
                        before, after = row_free * ends.free[n, first + i], row_nudged * ends.nudged[n, first + i]
                        total[i] += after - before
                        writes += after != before
            at = row[OFFSET] + r * width
            if aligned.size > 0:
                aligned[p] += align(weights.bits[at : at + width], total)
            flips += accumulate(
                weights.bits[at : at + width],
                accumulators[at * LANES : (at + width) * LANES],
                total,
                coefficients[p],
                limits[p],
            )
        if p == 0:
            for n in range(samples):
                seen, changed = np.int64(0), np.int64(0)
                for i in range(images.shape[1]):
                    seen += images[n, i] != 0
                for i in range(first, end):
                    changed += change[n, i] != 0
                writes += seen * changed
        counts.projections[NUDGED, p, WEIGHT_FLIPS] += flips
        counts.projections[NUDGED, p, WEIGHT_WRITES] += flips
        counts.projections[NUDGED, p, ACCUMULATOR_WRITES] += writes


learn_graded = kernel(learn_graded)

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
from eqspike.kernels.bits import LANES, MASK, add_row, add_scaled, clear


@inline
def accumulate(row, accumulators, gradient, marked, coefficient, limit):
    """Add ``coefficient`` x ``gradient`` to a row's accumulators, flip the signs that they oppose; return the flips.

    Only ``marked`` words are looked at; marks and gradient are cleared.
    """
    flips = np.int64(0)
    for k in range(row.size):
        if marked[k]:
            marked[k] = 0
            up, down = np.uint32(0), np.uint32(0)
            for lane in range(LANES):
                at = LANES * k + lane
                held = accumulators[at] + coefficient * np.float32(gradient[at])
                accumulators[at] = held
                gradient[at] = 0
                up |= MASK[lane] if held > limit else np.uint32(0)
                down |= MASK[lane] if held < -limit else np.uint32(0)
            opposed = np.uint32((row[k] & down) | (~row[k] & up))
            row[k] ^= opposed
            flips += popcount(opposed)
    return flips


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
def compare(free, nudged, flipped, active):
    """List the neurons that are active in one of two phases only, return how many; count who is ``active`` in each.

    ``flipped`` holds i for a neuron that has become active, -1 - i for one that no longer is.
    """
    n = 0
    before, after = np.int64(0), np.int64(0)
    for k in range(free.size):
        before += popcount(free[k])
        after += popcount(nudged[k])
        word = free[k] ^ nudged[k]
        if word != 0:
            for lane in range(LANES):
                if word & MASK[lane]:
                    i = LANES * k + lane
                    flipped[n] = i if nudged[k] & MASK[lane] else -1 - i
                    n += 1
    active[0], active[1] = before, after
    return n


@inline
def add_flips(flipped, n, value, gradient, marked):
    """Add ``value`` where a neuron has become active, take it away where it no longer is."""
    for at in range(n):
        i = flipped[at]
        if i >= 0:
            gradient[i] += value
            marked[i // LANES] = 1
        else:
            gradient[-1 - i] -= value
            marked[(-1 - i) // LANES] = 1


@inline
def add_active(on, value, gradient, marked):
    """Add ``value`` where a neuron is active."""
    for k in range(on.size):
        if on[k] != 0:
            marked[k] = 1
            for lane in range(LANES):
                gradient[LANES * k + lane] += value if on[k] & MASK[lane] else np.int32(0)


def learn_spiking(program, weights, counts, accumulators, ends, images, lesson, coefficients, limits, rates, aligned):
    """Change signs by what the phases of a mini-batch differ in, binary activations: sums of integers, exact.

    Parameters
    ----------
    accumulators : in the order of the bits, one number each.
    ends : bits of active neurons (n, W) at the end of both phases.
    images : (n, pixels) uint8.
    lesson : scratch, its gradient int32.
    coefficients, limits : (P,) of M, real.
    rates : (L - 1,) of the biases, real.
    aligned : (P,) to which the sum of sign x gradient is added, or none, where it is not asked for.
    """
    samples = images.shape[0]
    one, gradient, marked = np.int32(1), lesson.gradient, lesson.marked
    flipped, n_flipped, active = lesson.listed, lesson.n_listed, lesson.active
    clear(gradient)
    clear(marked)
    for n in range(samples):
        add_row(ends.nudged[n], one, gradient)
        add_row(ends.free[n], -one, gradient)
    shift_biases(program, weights, counts, gradient, rates)
    clear(gradient)
    for p in range(program.projections.shape[0]):
        own, along = rows_of(program, p)
        row = program.projections[p]
        width, word, words = row[ROW], program.layers[along, WORD], program.layers[along, WORDS]
        for n in range(samples):
            free, nudged = ends.free[n, word : word + words], ends.nudged[n, word : word + words]
            n_flipped[n] = compare(free, nudged, flipped[n], active[n])
        flips, writes = np.int64(0), np.int64(0)
        for r in range(row[ROWS]):
            for n in range(samples):
                free, nudged = ends.free[n, word : word + words], ends.nudged[n, word : word + words]
                if p == 0:
                    value, row_free, row_nudged = np.int32(images[n, r]), images[n, r] != 0, images[n, r] != 0
                else:
                    at, mask = program.layers[own, WORD] + r // LANES, MASK[r % LANES]
                    value, row_free = one, (ends.free[n, at] & mask) != 0
                    row_nudged = (ends.nudged[n, at] & mask) != 0
                if row_free and row_nudged:
                    writes += n_flipped[n]
                    add_flips(flipped[n], n_flipped[n], value, gradient, marked)
                elif row_nudged:
                    writes += active[n, 1]
                    add_active(nudged, value, gradient, marked)
                elif row_free:
                    writes += active[n, 0]
                    add_active(free, -value, gradient, marked)
            at = row[OFFSET] + r * width
            if aligned.size > 0:
                aligned[p] += align(weights.bits[at : at + width], gradient)
            flips += accumulate(
                weights.bits[at : at + width],
                accumulators[at * LANES : (at + width) * LANES],
                gradient,
                marked,
                coefficients[p],
                limits[p],
            )
        counts.projections[NUDGED, p, WEIGHT_FLIPS] += flips
        counts.projections[NUDGED, p, WEIGHT_WRITES] += flips
        counts.projections[NUDGED, p, ACCUMULATOR_WRITES] += writes


learn_spiking = kernel(learn_spiking)


@inline
def add_pixels(pixels, change, first, listed, gradient):
    """Add to ``gradient`` every sample's change (n, N), from column ``first`` on, times its pixel."""
    end = first + gradient.size
    n = 0
    for sample in range(pixels.size):
        if pixels[sample] != 0:
            listed[n] = sample
            n += 1
    fours = n - n % 4
    for at in range(0, fours, 4):
        n0, n1, n2, n3 = listed[at], listed[at + 1], listed[at + 2], listed[at + 3]
        p0, p1, p2, p3 = np.float32(pixels[n0]), np.float32(pixels[n1]), np.float32(pixels[n2]), np.float32(pixels[n3])
        c0, c1, c2, c3 = change[n0, first:end], change[n1, first:end], change[n2, first:end], change[n3, first:end]
        for i in range(gradient.size):
            gradient[i] += (p0 * c0[i] + p1 * c1[i]) + (p2 * c2[i] + p3 * c3[i])
    for at in range(fours, n):
        add_scaled(change[listed[at], first:end], np.float32(pixels[listed[at]]), gradient)


def learn_graded(
    program, weights, counts, accumulators, ends, images, lesson, change, coefficients, limits, rates, aligned
):
    """Change signs by what the phases of a mini-batch differ in, real activations.

    Parameters
    ----------
    ends : states (n, N) at the end of both phases.
    images : (pixels, n) uint8, a pixel's values side by side.
    lesson : scratch, its gradient real.
    change : scratch (n, N) real.
    accumulators, coefficients, limits, rates, aligned : as in :func:`learn_spiking`.
    """
    samples = images.shape[1]
    gradient, marked = lesson.gradient, lesson.marked
    clear(gradient)
    for n in range(samples):
        for i in range(change.shape[1]):
            change[n, i] = ends.nudged[n, i] - ends.free[n, i]
        add_scaled(change[n], np.float32(1), gradient)
    shift_biases(program, weights, counts, gradient, rates)
    clear(gradient)
    for p in range(program.projections.shape[0]):
        own, along = rows_of(program, p)
        row = program.projections[p]
        width, first, start = row[ROW], program.layers[along, START], program.layers[own, START]
        total = gradient[: width * LANES]
        flips, writes = np.int64(0), np.int64(0)
        for r in range(row[ROWS]):
            if p == 0:
                add_pixels(images[r], change, first, lesson.n_listed, total)
            else:
                for n in range(samples):
                    row_free, row_nudged = ends.free[n, start + r], ends.nudged[n, start + r]
                    free, nudged = ends.free[n, first : first + total.size], ends.nudged[n, first : first + total.size]
                    changed = np.int32(0)
                    for i in range(total.size):
                        before, after = row_free * free[i], row_nudged * nudged[i]
                        total[i] += after - before
                        changed += np.int32(after != before)
                    writes += changed
            at = row[OFFSET] + r * width
            if aligned.size > 0:
                aligned[p] += align(weights.bits[at : at + width], total)
            for k in range(width):
                marked[k] = 1
            flips += accumulate(
                weights.bits[at : at + width],
                accumulators[at * LANES : (at + width) * LANES],
                total,
                marked,
                coefficients[p],
                limits[p],
            )
        if p == 0:
            for n in range(samples):
                seen, changed = np.int64(0), np.int64(0)
                for r in range(row[ROWS]):
                    seen += images[r, n] != 0
                for i in range(first, first + total.size):
                    changed += change[n, i] != 0
                writes += seen * changed
        counts.projections[NUDGED, p, WEIGHT_FLIPS] += flips
        counts.projections[NUDGED, p, WEIGHT_WRITES] += flips
        counts.projections[NUDGED, p, ACCUMULATOR_WRITES] += writes


learn_graded = kernel(learn_graded)

"""Networks of binary weights and real activations: a neuron whose activation changed sends the difference.

The order within a tick is that of :mod:`eqspike.kernels.binary_spiking`: all neurons move by the sums as they stand,
then what changed reaches the sums of the next tick. Differences are added with the sign of the weight: no product.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline, kernel, splice
from eqspike.kernels.binary_input import sum_pixels
from eqspike.kernels.binary_layout import (
    ALONG_PRE,
    EVENTS_BACKWARD,
    EVENTS_FORWARD,
    FREE,
    INFERENCE,
    NEURON_UPDATES,
    NUDGED,
    OFFSET,
    POST,
    PRE,
    PRESENTATIONS,
    ROW,
    ROWS,
    SIZE,
    START,
    TICKS,
    WORDS,
)
from eqspike.kernels.bits import LANES, add_signed, add_signed_row, clear, copy


@inline
def move_layer(s, changed, forward, unit, bias, backward, scale, target, beta):
    """Move a layer by one tick, a nudged output towards its target; leave what changed, return of how many neurons."""
    zero, one = np.float32(0), np.float32(1)
    count = 0
    for i in range(s.size):
        drive = unit * forward[i] + bias[i]
        drive = drive + scale * backward[i]
        moved = min(max(drive, zero), one)
        if beta != zero:
            moved = min(max(moved + beta * (target[i] - s[i]), zero), one)
        changed[i] = moved - s[i]
        count += moved != s[i]
        s[i] = moved
    return count


@inline
def scatter(bits, offset, width, rows, changed, sums):
    """Send differences of neurons that rows belong to."""
    for row in range(rows):
        if changed[row] != 0:
            at = offset + row * width
            add_signed_row(bits[at : at + width], changed[row], sums)


@inline
def gather(bits, offset, width, rows, changed, places, parts, sums):
    """Send differences of neurons along the rows, a block of rows at a time."""
    n_places = 0
    for k in range(width):
        any_change = False
        for lane in range(LANES):
            any_change = any_change or changed[LANES * k + lane] != 0
        if any_change:
            places[n_places] = k
            n_places += 1
    for top in range(0, rows, parts.shape[0]):
        block = min(parts.shape[0], rows - top)
        for r in range(block):
            clear(parts[r])
        for at in range(n_places):
            k = places[at]
            values = changed[LANES * k : LANES * (k + 1)]
            for r in range(block):
                add_signed(bits[offset + (top + r) * width + k], values, parts[r])
        for r in range(block):
            total = parts[r, 0]
            for lane in range(1, LANES):
                total += parts[r, lane]
            sums[top + r] += total


@splice
def deliver(program, weights, state, counts, phase):
    """Bring the differences of this tick to the sums of the next, both ways from one copy, and count them."""
    layers = program.layers
    for p in range(1, program.projections.shape[0]):
        row = program.projections[p]
        pre, post, offset, width, rows = row[PRE], row[POST], row[OFFSET], row[ROW], row[ROWS]
        counts.projections[phase, p, EVENTS_FORWARD] += state.moved[pre] * layers[post, SIZE]
        counts.projections[phase, p, EVENTS_BACKWARD] += state.moved[post] * layers[pre, SIZE]
        a, b = layers[pre, START], layers[post, START]
        along, across = layers[pre, WORDS] * LANES, layers[post, WORDS] * LANES
        if row[ALONG_PRE] == 1:
            gather(weights.bits, offset, width, rows, state.changed[a : a + along], state.places, state.parts,
                   state.forward[b : b + rows])  # fmt: skip
            scatter(weights.bits, offset, width, rows, state.changed[b : b + rows], state.backward[a : a + along])
        else:
            scatter(weights.bits, offset, width, rows, state.changed[a : a + rows], state.forward[b : b + across])
            gather(weights.bits, offset, width, rows, state.changed[b : b + across], state.places, state.parts,
                   state.backward[a : a + rows])  # fmt: skip


@splice
def settle(program, weights, state, counts, phase, target, beta, ticks, early):
    """Run a phase of ``ticks``, nudged where beta is not zero; it ends ``early`` once nothing moves."""
    layers, last = program.layers, program.layers.shape[0] - 1
    tick, moving = 0, True
    while moving and tick < ticks:
        moving = False
        for layer in range(1, last + 1):
            first = layers[layer, START]
            end = first + layers[layer, WORDS] * LANES
            scale = weights.scale[layer] if layer < last else np.float32(0)
            nudge = beta if layer == last else np.float32(0)
            moved = move_layer(
                state.s[first:end], state.changed[first:end], state.forward[first:end], weights.unit[layer - 1],
                weights.bias[first:end], state.backward[first:end], scale, target, nudge,
            )  # fmt: skip
            state.moved[layer] = moved
            moving = moving or moved > 0
        if moving:
            deliver(program, weights, state, counts, phase)
        tick += 1
    counted = tick if early else ticks
    for layer in range(1, last + 1):
        counts.layers[phase, layer, NEURON_UPDATES] += counted * layers[layer, SIZE]
    counts.run[phase, TICKS] += counted
    counts.run[phase, PRESENTATIONS] += 1


def present(program, weights, state, counts, ends, images, targets, beta, free, nudged, early):
    """Present ``images`` (n, pixels) uint8 one after the other, from zero; without nudged ticks only for an answer.

    Parameters
    ----------
    targets : (n, n_out padded) of the nudged phase.
    beta : signed nudge.
    free, nudged : ticks of the phases.
    early : whether a phase ends where nothing moves.
    ends : what each phase ended with.
    """
    layers, last = program.layers, program.layers.shape[0] - 1
    answer, size = layers[last, START], layers[last, SIZE]
    first, width = layers[1, START], layers[1, WORDS] * LANES
    phase = FREE if nudged > 0 else INFERENCE
    for n in range(images.shape[0]):
        clear(state.s)
        clear(state.forward)
        clear(state.backward)
        seen, total = sum_pixels(program, weights, images[n], state.pixels, state.pixel_sums)
        for i in range(width):
            state.forward[first + i] = 2 * state.pixel_sums[i] - total
        counts.projections[phase, 0, EVENTS_FORWARD] += seen * layers[1, SIZE]
        settle(program, weights, state, counts, phase, targets[0], np.float32(0), free, early)
        copy(state.s[answer : answer + size], ends.output[n])
        if nudged > 0:
            copy(state.s, ends.free[n])
            settle(program, weights, state, counts, NUDGED, targets[n], beta, nudged, early)
            copy(state.s, ends.nudged[n])


present = kernel(present)

"""Networks of binary weights and binary activations: a neuron that flips sends an event, everything else stands still.

The order within a tick: every neuron moves by the sums as they stand, those that crossed the threshold flip, and their
events reach the sums that the next tick uses.
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
    SPIKES,
    START,
    TICKS,
    WORD,
    WORDS,
)
from eqspike.kernels.bits import LANES, MASK, add_row, add_rows, clear, copy, count_bits, overlap, overlap_at

BELOW, ABOVE = 0, 1
_FEW = 4  # a list of changed words pays where they are fewer than one in so many


@inline
def switch(before, now, k, switched_on, switched_off):
    """Note in word ``k`` which neurons have switched on and off, and return whether any has."""
    switched_on[k] = now & ~before
    switched_off[k] = before & ~now
    return now != before


@inline
def work_out(drive, forward, below, unit, bias, backward, above, scale):
    """Work out the drives of a layer from its sums; ``scale`` is zero where nothing comes from above."""
    for i in range(drive.size):
        driven = unit * np.float32(2 * forward[i] - below) + bias[i]
        drive[i] = driven + scale * np.float32(2 * backward[i] - above)


@inline
def move_layer(s, drive, on, neurons, switched_on, switched_off):
    """Move a layer by one tick; return whether a neuron flipped, or will flip if the drives stay as they are."""
    keep, move, threshold = neurons.keep, neurons.move, neurons.threshold
    zero, one, moving = np.float32(0), np.float32(1), False
    for k in range(on.size):
        now, pulled = np.uint32(0), np.uint32(0)
        for lane in range(LANES):
            i = LANES * k + lane
            moved = min(max(keep * s[i] + move * drive[i], zero), one)
            s[i] = moved
            now |= MASK[lane] if moved >= threshold else np.uint32(0)
            pulled |= MASK[lane] if drive[i] >= threshold else np.uint32(0)
        flipped = switch(on[k], now, k, switched_on, switched_off)
        moving = moving or flipped or pulled != now
        on[k] = now
    return moving


@inline
def move_nudged(s, drive, on, target, beta, neurons, switched_on, switched_off):
    """Move a nudged output by one tick; return whether anything in it moved."""
    keep, move, threshold = neurons.keep, neurons.move, neurons.threshold
    zero, one, moving = np.float32(0), np.float32(1), False
    for k in range(on.size):
        now, changed = np.uint32(0), np.uint32(0)
        for lane in range(LANES):
            i = LANES * k + lane
            driven = drive[i] + beta * (target[i] - s[i])
            moved = min(max(keep * s[i] + move * driven, zero), one)
            changed |= MASK[lane] if moved != s[i] else np.uint32(0)
            s[i] = moved
            now |= MASK[lane] if moved >= threshold else np.uint32(0)
        flipped = switch(on[k], now, k, switched_on, switched_off)
        moving = moving or flipped or changed != 0
        on[k] = now
    return moving


@inline
def keeps_sides(neurons):
    """Return whether a state moves to no other side of the threshold than its drive is on, however sums round."""
    keep, move, threshold, below = neurons.keep, neurons.move, neurons.threshold, neurons.below
    return keep * threshold + move * threshold >= threshold and keep * below + move * below < threshold


@inline
def may_cross(drive, on, neurons):
    """Return whether a neuron, its drive on its own side of the threshold, may yet be rounded over it."""
    keep, move, threshold, below = neurons.keep, neurons.move, neurons.threshold, neurons.below
    for i in range(drive.size):
        active = (on[i // LANES] & MASK[i % LANES]) != 0
        nearest = threshold if active else below
        if (keep * nearest + move * drive[i] >= threshold) != active:
            return True
    return False


@inline
def coast(s, drive, pull, neurons, ticks):
    """Move a layer on by ``ticks`` in which no event arrives and no neuron flips."""
    keep, move = neurons.keep, neurons.move
    zero, one = np.float32(0), np.float32(1)
    for k in range(s.size // LANES):
        for lane in range(LANES):
            pull[lane] = move * drive[LANES * k + lane]
        for _ in range(ticks):
            for lane in range(LANES):
                s[LANES * k + lane] = min(max(keep * s[LANES * k + lane] + pull[lane], zero), one)


@inline
def scatter(bits, offset, width, switched_on, switched_off, flipped, sums):
    """Send the events of neurons that rows belong to: each adds its row, or takes it away again."""
    n = 0
    for k in range(switched_on.size):
        word = switched_on[k] | switched_off[k]
        if word != 0:
            for lane in range(LANES):
                if word & MASK[lane]:
                    flipped[n] = LANES * k + lane
                    n += 1
    fours = n - n % 4
    for at in range(0, fours, 4):
        i0, i1, i2, i3 = flipped[at], flipped[at + 1], flipped[at + 2], flipped[at + 3]
        a0, a1, a2, a3 = offset + i0 * width, offset + i1 * width, offset + i2 * width, offset + i3 * width
        values = event(switched_on, i0), event(switched_on, i1), event(switched_on, i2), event(switched_on, i3)
        add_rows(
            bits[a0 : a0 + width], bits[a1 : a1 + width], bits[a2 : a2 + width], bits[a3 : a3 + width], values, sums
        )
    for at in range(fours, n):
        first = offset + flipped[at] * width
        add_row(bits[first : first + width], event(switched_on, flipped[at]), sums)


@inline
def event(switched_on, i):
    """Return what neuron ``i`` sends: 1 where it has switched on, -1 where off."""
    return np.int32(1) if switched_on[i // LANES] & MASK[i % LANES] else np.int32(-1)


@inline
def gather(bits, offset, width, rows, switched_on, switched_off, places, sums):
    """Send the events of neurons along the rows: each row counts those that have switched on, less those off."""
    n_places = 0
    for k in range(width):
        if switched_on[k] | switched_off[k]:
            places[n_places] = k
            n_places += 1
    few = n_places * _FEW < width
    if n_places > 0:
        for row in range(rows):
            at = offset + row * width
            line = bits[at : at + width]
            if few:
                sums[row] += overlap_at(line, switched_on, switched_off, places, n_places)
            else:
                sums[row] += overlap(line, switched_on, switched_off)


@inline
def count_flips(switched_on, switched_off, spikes):
    """Count the flips of each neuron."""
    for k in range(switched_on.size):
        word = switched_on[k] | switched_off[k]
        if word != 0:
            for lane in range(LANES):
                spikes[LANES * k + lane] += 1 if word & MASK[lane] else 0


@splice
def deliver(program, weights, state, counts, phase):
    """Bring the events of this tick to the sums of the next, both ways from one copy of the weights, and count them."""
    for layer in range(1, program.layers.shape[0]):
        word, words = program.layers[layer, WORD], program.layers[layer, WORDS]
        on, off = state.switched_on[word : word + words], state.switched_off[word : word + words]
        n_on, n_off = count_bits(on), count_bits(off)
        counts.layers[phase, layer, SPIKES] += n_on + n_off
        if n_on + n_off == 0:
            continue
        count_flips(on, off, counts.spikes[phase, program.layers[layer, START] :])
        for p in range(program.projections.shape[0]):
            row = program.projections[p]
            pre, post, offset, width = row[PRE], row[POST], row[OFFSET], row[ROW]
            if layer != pre and (layer != post or pre == 0):
                continue
            other, side, column = (post, BELOW, EVENTS_FORWARD) if layer == pre else (pre, ABOVE, EVENTS_BACKWARD)
            first, size = program.layers[other, START], program.layers[other, SIZE]
            sums = state.forward if side == BELOW else state.backward
            counts.projections[phase, p, column] += (n_on + n_off) * size
            state.arrived[side, other] += n_on - n_off
            state.stale[other] = 1
            if (layer == pre) == (row[ALONG_PRE] == 1):
                gather(weights.bits, offset, width, row[ROWS], on, off, state.places, sums[first : first + size])
            else:
                scatter(weights.bits, offset, width, on, off, state.flipped, sums[first : first + width * LANES])


@splice
def begin(program, state, start, counts, phase):
    """Switch every neuron on; the sums of that state are known, its events are counted."""
    layers = program.layers
    copy(start.forward, state.forward)
    copy(start.backward, state.backward)
    copy(start.s, state.s)
    copy(start.on, state.on)
    for layer in range(1, layers.shape[0]):
        counts.layers[phase, layer, SPIKES] += layers[layer, SIZE]
        for i in range(layers[layer, START], layers[layer, START] + layers[layer, SIZE]):
            counts.spikes[phase, i] += 1
        state.stale[layer] = 1
        state.arrived[BELOW, layer] = state.arrived[ABOVE, layer] = 0
        if layer > 1:
            state.arrived[BELOW, layer] = layers[layer - 1, SIZE]
        if layer < layers.shape[0] - 1:
            state.arrived[ABOVE, layer] = layers[layer + 1, SIZE]
    for p in range(1, program.projections.shape[0]):
        events = layers[program.projections[p, PRE], SIZE] * layers[program.projections[p, POST], SIZE]
        counts.projections[phase, p, EVENTS_FORWARD] += events
        counts.projections[phase, p, EVENTS_BACKWARD] += events


@splice
def settle(program, neurons, weights, state, counts, phase, target, beta, ticks, early):
    """Run a phase of ``ticks``, nudged where beta is not zero.

    Once no neuron can flip any more, those left over move states alone: they are worked out at once, and where the
    phase may end ``early`` they are counted as one.
    """
    layers, last = program.layers, program.layers.shape[0] - 1
    tick, moving, steady = 0, True, keeps_sides(neurons)
    while moving and tick < ticks:
        moving = False
        for layer in range(1, last + 1):
            first, word, words = layers[layer, START], layers[layer, WORD], layers[layer, WORDS]
            end, stop = first + words * LANES, word + words
            if state.stale[layer]:
                scale = weights.scale[layer] if layer < last else np.float32(0)
                below, above = np.int32(state.arrived[BELOW, layer]), np.int32(state.arrived[ABOVE, layer])
                work_out(
                    state.drive[first:end], state.forward[first:end], below, weights.unit[layer - 1],
                    weights.bias[first:end], state.backward[first:end], above, scale,
                )  # fmt: skip
                state.stale[layer] = 0
            s, drive, on = state.s[first:end], state.drive[first:end], state.on[word:stop]
            switched_on, switched_off = state.switched_on[word:stop], state.switched_off[word:stop]
            if layer == last and beta != 0:
                moved = move_nudged(s, drive, on, target, beta, neurons, switched_on, switched_off)
            else:
                moved = move_layer(s, drive, on, neurons, switched_on, switched_off)
                if not (steady or moving or moved):
                    moved = may_cross(drive, on, neurons)
            moving = moving or moved
        deliver(program, weights, state, counts, phase)
        tick += 1
    left = ticks - tick
    counted = tick + min(left, 1) if early else ticks
    for layer in range(1, last + 1):
        counts.layers[phase, layer, NEURON_UPDATES] += counted * layers[layer, SIZE]
        if left > 0 and (layer < last or beta == 0):
            first, end = layers[layer, START], layers[layer, START] + layers[layer, WORDS] * LANES
            coast(state.s[first:end], state.drive[first:end], state.pull, neurons, left)
    counts.run[phase, TICKS] += counted
    counts.run[phase, PRESENTATIONS] += 1


def present(program, neurons, weights, start, state, counts, ends, images, targets, beta, free, nudged, early):
    """Present ``images`` (n, pixels) uint8 one after the other, from rest; without nudged ticks only for an answer.

    Parameters
    ----------
    targets : (n, n_out padded) of the nudged phase.
    beta : signed nudge.
    free, nudged : ticks of the phases.
    early : whether a phase is counted only up to where nothing moves.
    ends : what each phase ended with.
    """
    last = program.layers.shape[0] - 1
    answer, size = program.layers[last, START], program.layers[last, SIZE]
    phase = FREE if nudged > 0 else INFERENCE
    none = np.float32(0)
    for n in range(images.shape[0]):
        begin(program, state, start, counts, phase)
        first, width = program.layers[1, START], program.layers[1, WORDS] * LANES
        seen, total = sum_pixels(program, weights, images[n], state.pixels, state.forward[first : first + width])
        state.arrived[BELOW, 1] = total
        counts.projections[phase, 0, EVENTS_FORWARD] += seen * program.layers[1, SIZE]
        settle(program, neurons, weights, state, counts, phase, targets[0], none, free, early)
        copy(state.s[answer : answer + size], ends.output[n])
        if nudged > 0:
            copy(state.on, ends.free[n])
            settle(program, neurons, weights, state, counts, NUDGED, targets[n], beta, nudged, early)
            copy(state.on, ends.nudged[n])


present = kernel(present)


def find_start(program, weights, start):
    """Work out the sums over set bits while every neuron is active."""
    clear(start.forward)
    clear(start.backward)
    for p in range(1, program.projections.shape[0]):
        row = program.projections[p]
        lanes, other = (row[PRE], row[POST]) if row[ALONG_PRE] == 1 else (row[POST], row[PRE])
        to_rows, to_lanes = (start.forward, start.backward) if row[ALONG_PRE] == 1 else (start.backward, start.forward)
        first, own = program.layers[lanes, START], program.layers[other, START]
        width = row[ROW]
        for k in range(row[ROWS]):
            line = weights.bits[row[OFFSET] + k * width : row[OFFSET] + (k + 1) * width]
            add_row(line, np.int32(1), to_lanes[first : first + width * LANES])
            to_rows[own + k] = count_bits(line)


find_start = kernel(find_start)

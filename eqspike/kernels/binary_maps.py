"""Convolutional networks of binary weights, binary or real activations: events travel only where something changed.

The order within a tick: every neuron moves by the sums as they stand; then what changed goes up through the kernels,
pools that it reached are looked at again, and what changed or now stands elsewhere in its pool goes down. A neuron with
real activation is one that keeps nothing of its old state and emits the new one, unless only its last bit has changed:
layers that move together would pass such a bit back and forth for ever.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline, kernel, splice
from eqspike.kernels.binary_layout import (
    EVENTS_BACKWARD,
    EVENTS_FORWARD,
    FREE,
    INFERENCE,
    NEURON_UPDATES,
    NUDGED,
    PRESENTATIONS,
    SPIKES,
    TICKS,
)
from eqspike.kernels.binary_maps_events import list_changes, pool_stale, send_down, send_up
from eqspike.kernels.binary_maps_layout import CHANNEL, CHANNELS, FIRST, HEIGHT, SIZE, START, WIDTH
from eqspike.kernels.bits import clear, copy

_LEAST = np.float32(2.0**-24)  # a real activation that has changed by no more, its last bit, sends nothing
_NEAR = np.float32(2.0**-16)  # closer to its threshold than this, a drive's side is not relied upon


@inline
def move_place(s, emitted, forward, backward, push, unit, bias, quantum, neurons, spikes):
    """Move a place's neurons by one tick; return how many flipped, changed, and may flip later if drives stay."""
    keep, move, threshold, graded = neurons.keep, neurons.move, neurons.threshold, neurons.graded
    zero, one = np.float32(0), np.float32(1)
    flips, changes, restless = 0, 0, 0
    for c in range(s.size):
        drive = unit[c] * np.float32(forward[c]) + bias[c]
        drive = drive + quantum * np.float32(backward[c])
        nudged = drive if graded else drive + push[c]
        moved = min(max(keep * s[c] + move * nudged, zero), one)
        moved = moved + push[c] if graded else moved
        fires = moved >= threshold
        changed = moved != s[c]
        sends = abs(moved - emitted[c]) > _LEAST
        now = (moved if sends else np.float32(emitted[c])) if graded else np.float32(fires)
        flipped = now != emitted[c] and not graded
        pulled = fires != (nudged >= threshold)
        near = changed and abs(nudged - threshold) < _NEAR
        emitted[c] = now
        s[c] = moved
        spikes[c] += flipped
        flips += flipped
        changes += changed
        restless += flipped or pulled or near
    return flips, changes, changes if graded else restless


@splice
def move_all(program, neurons, weights, state, counts, phase):
    """Move every layer by one tick; return how many neurons changed, and how many may yet flip."""
    layers = program.layers
    changes, restless = 0, 0
    for k in range(1, layers.shape[0]):
        channels, channel = layers[k, CHANNELS], layers[k, CHANNEL]
        last = channel + channels
        for place in range(layers[k, HEIGHT] * layers[k, WIDTH]):
            first = layers[k, START] + place * channels
            end = first + channels
            flipped, changed, unsettled = move_place(
                state.s[first:end], state.emitted[first:end], state.forward[first:end], state.backward[first:end],
                state.push[first:end], weights.unit[channel:last], weights.bias[channel:last], weights.quantum[k],
                neurons, counts.spikes[phase, first:end],
            )  # fmt: skip
            counts.layers[phase, k, SPIKES] += flipped
            changes, restless = changes + changed, restless + unsettled
    return changes, restless


@splice
def rise(program, weights, state, events):
    """Send what changed up to the sums before pooling, and look at the pools again."""
    layers = program.layers
    for p in range(1, program.projections.shape[0]):
        channels, width = layers[p, CHANNELS], layers[p, WIDTH]
        row = program.projections[p]
        for place in range(layers[p, HEIGHT] * width):
            first = layers[p, START] + place * channels
            end = first + channels
            n = list_changes(state.emitted[first:end], state.sent[first:end], state.listed, state.values)
            if n > 0:
                y, x = place // width, place % width
                reached = send_up(
                    weights.bits, row, y, x, channels, n, state.listed, state.values, state.z[row[FIRST] :], state.stale
                )
                events[p, EVENTS_FORWARD] += n * reached * layers[p + 1, CHANNELS]
        pool_stale(row, layers[p + 1], state.z[row[FIRST] :], state.stale, state.forward, state.where, state.rounded)


@splice
def descend(program, weights, state, events):
    """Send what changed down from where its sum stands in the pool, and what stood elsewhere before from there."""
    layers = program.layers
    for p in range(1, program.projections.shape[0]):
        row, channels, below = program.projections[p], layers[p + 1, CHANNELS], layers[p]
        backward = state.backward[below[START] : below[START] + below[SIZE]]
        own = weights.own[layers[p + 1, CHANNEL] :]
        reached = 0
        for place in range(layers[p + 1, HEIGHT] * layers[p + 1, WIDTH]):
            first = layers[p + 1, START] + place * channels
            different = 0
            for i in range(first, first + channels):
                different += (state.emitted[i] != state.sent[i]) | (state.where[i] != state.sent_where[i])
            if different > 0:
                for c in range(channels):
                    i = first + c
                    values = state.values  # what is taken away is what was added, to the bit
                    values[0], values[1] = own[c] * state.emitted[i], -own[c] * state.sent[i]
                    if state.where[i] == state.sent_where[i]:
                        values[0] += values[1]
                        values[1] = 0
                    for turn in range(2):
                        if values[turn] != 0:
                            at = state.sent_where[i] if turn else state.where[i]
                            reached += send_down(weights.bits, row, below, place, at, c, values[turn], backward)
        events[p, EVENTS_BACKWARD] += reached


@splice
def deliver(program, weights, state, events):
    """Bring the events of this tick to the sums of the next, and count them."""
    rise(program, weights, state, events)
    descend(program, weights, state, events)
    copy(state.emitted, state.sent)
    copy(state.where, state.sent_where)


@splice
def begin(program, neurons, state, start, counts, phase):
    """Bring neurons and sums to where presentations begin, and count the events of that."""
    copy(start.s, state.s)
    copy(start.emitted, state.emitted)
    copy(start.emitted, state.sent)
    copy(start.where, state.where)
    copy(start.where, state.sent_where)
    copy(start.forward, state.forward)
    copy(start.backward, state.backward)
    copy(start.z, state.z)
    clear(state.push)
    for p in range(1, program.projections.shape[0]):
        for column in (EVENTS_FORWARD, EVENTS_BACKWARD):
            counts.projections[phase, p, column] += start.events[p, column]
    if not neurons.graded:
        for k in range(1, program.layers.shape[0]):
            counts.layers[phase, k, SPIKES] += program.layers[k, SIZE]
        for i in range(state.s.size):
            counts.spikes[phase, i] += 1


@splice
def look(program, weights, state, image, counts, phase):
    """Send an image (n_pixels,) uint8 up to the first layer, whose sums from below then stay."""
    row, layer = program.projections[0], program.layers[0]
    channels, width = layer[CHANNELS], layer[WIDTH]
    clear(state.pixels)
    for place in range(layer[HEIGHT] * width):
        n = 0
        for i in range(channels):
            if image[place * channels + i] != 0:
                state.listed[n] = i
                state.integers[n] = image[place * channels + i]
                n += 1
        if n > 0:
            y, x = place // width, place % width
            reached = send_up(
                weights.bits, row, y, x, channels, n, state.listed, state.integers, state.pixels, state.stale
            )
            counts.projections[phase, 0, EVENTS_FORWARD] += n * reached * program.layers[1, CHANNELS]
    for place in range(program.layers[1, HEIGHT] * program.layers[1, WIDTH]):
        state.stale[place] = 1  # of a dark square too
    pool_stale(row, program.layers[1], state.pixels, state.stale, state.forward, state.where, state.rounded)


@splice
def push_output(program, state, target, beta):
    """Set the nudge: beta times the distance of the outputs from their targets."""
    first, size = program.layers[-1, START], program.layers[-1, SIZE]
    for i in range(size):
        state.push[first + i] = beta * (target[i] - state.s[first + i])


@splice
def settle(program, neurons, weights, state, counts, phase, target, beta, ticks, early, where):
    """Run a phase of ``ticks``, nudged where beta is not zero; binary activations by their first error all along.

    Once no neuron can flip any more, those left over move states alone; where the phase may end ``early`` they are
    counted as one. ``where`` gets the places in the pools that the last sums came from.
    """
    tick, looked, changes, quiet = 0, 0, 1, False
    while changes > 0 and tick < ticks:
        if beta != 0 and (neurons.graded or tick == 0):
            push_output(program, state, target, beta)
        changes, restless = move_all(program, neurons, weights, state, counts, phase)
        tick += 1
        if not quiet:
            looked, quiet = tick, restless == 0 or changes == 0
            if quiet or tick == ticks:
                copy(state.where, where)
            if not quiet:
                deliver(program, weights, state, counts.projections[phase])
    counted = looked + min(tick - looked, 1) if early else ticks
    for k in range(1, program.layers.shape[0]):
        counts.layers[phase, k, NEURON_UPDATES] += counted * program.layers[k, SIZE]
    counts.run[phase, TICKS] += counted
    counts.run[phase, PRESENTATIONS] += 1


@inline
def add_products(values, factors, sums):
    """Add values x factors, in double precision."""
    for c in range(values.size):
        sums[c] += np.float64(values[c]) * factors[c]


@splice
def add_power(program, state, power):
    """Add to every channel's sum what its neurons emit x their pooled sum."""
    layers = program.layers
    for k in range(1, layers.shape[0]):
        channels, channel = layers[k, CHANNELS], layers[k, CHANNEL]
        for place in range(layers[k, HEIGHT] * layers[k, WIDTH]):
            first = layers[k, START] + place * channels
            end = first + channels
            add_products(state.emitted[first:end], state.forward[first:end], power[channel : channel + channels])


def present(program, neurons, weights, start, state, counts, ends, images, targets, beta, free, nudged, early):
    """Present ``images`` (n, pixels) uint8 one after the other; without nudged ticks only for an answer.

    Parameters
    ----------
    targets : (n, n_out) of the nudged phase.
    beta : signed nudge.
    free, nudged : ticks of the phases.
    early : whether a phase is counted only up to where nothing moves.
    ends : what each phase ended with.
    """
    last = program.layers.shape[0] - 1
    answer, size = program.layers[last, START], program.layers[last, SIZE]
    learns = nudged > 0
    first = FREE if learns else INFERENCE
    for n in range(images.shape[0]):
        begin(program, neurons, state, start, counts, first)
        look(program, weights, state, images[n], counts, first)
        for turn in range(2 if learns else 1):
            settle(
                program, neurons, weights, state, counts, NUDGED if turn else first, targets[n * turn],
                beta if turn else np.float32(0), nudged if turn else free, early, ends.where[turn, n],
            )  # fmt: skip
            if turn == 0:
                copy(state.s[answer : answer + size], ends.output[n])
            if learns:
                copy(state.emitted, ends.emitted[turn, n])
                add_power(program, state, ends.power[turn])


present = kernel(present)


def find_start(program, weights, state, start):
    """Work out the sums of what ``start`` emits, and their events, in a new ``state`` of zeros."""
    copy(start.emitted, state.emitted)
    deliver(program, weights, state, start.events)
    copy(state.where, start.where)
    copy(state.forward, start.forward)
    copy(state.backward, start.backward)
    copy(state.z, start.z)


find_start = kernel(find_start)

"""The clock steps of a phase in integers: arrivals, thresholds, spikes on their way, updates, and what they count."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import splice
from eqspike.kernels.fixed_layout import (
    ACCUMULATOR_WRITES,
    AT_POST,
    AT_PRE,
    AT_TRACE,
    BACKWARD_AT,
    BEFORE,
    CEILING,
    CHANGE,
    CLAMPED,
    COLUMN,
    COLUMNS,
    COUNT,
    DOWN,
    DRIVE,
    DROPPED,
    EVENTS_BACKWARD,
    EVENTS_FORWARD,
    FIRED,
    FLOOR,
    FORWARD_AT,
    HARD,
    HELD,
    HIGH,
    KIND,
    LEAK,
    LIF,
    LOW,
    MACS_FORWARD,
    MEMORY,
    MULTIPLIER,
    NEURON_UPDATES,
    NUDGED,
    OFFSET,
    OWED,
    PADDED,
    PAUSE,
    PIXEL_BITS,
    PLASTIC,
    POST,
    PRE,
    RATE,
    REFRACTORY,
    REST,
    ROW,
    SATURATIONS,
    SHIFT,
    SIZE,
    SPIKES,
    START,
    STATIC,
    STORED_HIGH,
    STORED_LOW,
    SUPPRESSED,
    SYMMETRIC,
    THRESHOLD,
    TOTAL,
    TRACE_UPDATES,
    UP,
    WEIGHT_WRITES,
    V,
)
from eqspike.kernels.fixed_neurons import (
    add_pixels,
    advance,
    advance_dithered,
    copy_into,
    deliver,
    deliver_back,
    fill,
    integrate_and_fire,
    list_fired,
    nudge,
    shifted_into,
)
from eqspike.kernels.fixed_plasticity import draw_words, hold_column, hold_row, move_column, move_row


@splice
def begin(program, scales, weights, state, counts, phase, image, bright):
    """Start a presentation: neurons and traces at rest, the drive of the pixels computed once and kept."""
    fill(state.neurons[V], 0)
    fill(state.integers[PAUSE], 0)
    fill(state.current, 0)
    for row in range(state.traces.shape[0]):
        fill(state.traces[row], 0)
    drive = state.neurons[DRIVE]
    copy_into(drive, weights.bias)
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        if program.layers[row[PRE], KIND] == STATIC:
            at, width = program.layers[row[POST], START], program.layers[row[POST], PADDED]
            sums, shift = state.sums[:width], row[SHIFT] - PIXEL_BITS
            add_pixels(weights.stored, sums, image, bright, row[OFFSET], row[ROW], scales.residue, scales.odd)
            shifted_into(drive[at : at + width], sums, shift, (1 << -shift) >> 1 if shift < 0 else 0)
            counts.projections[phase, p, MACS_FORWARD] += bright.size * program.layers[row[POST], SIZE]


@splice
def arrive(program, state):
    """Sum what this tick integrates: the drive and what the last tick's spikes brought."""
    copy_into(state.neurons[TOTAL], state.neurons[DRIVE])
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        round_up = (1 << -row[SHIFT]) >> 1 if row[SHIFT] < 0 else 0
        for way in range(2):
            at = row[BACKWARD_AT] if way else row[FORWARD_AT]
            if at >= 0:
                layer = row[PRE] if way else row[POST]
                lo, width = program.layers[layer, START], program.layers[layer, PADDED]
                total = state.neurons[TOTAL, lo : lo + width]
                shifted_into(total, state.current[at : at + width], row[SHIFT], round_up)


@splice
def fire(program, scales, state, counts, phase):
    """Let every layer integrate, and list what fired."""
    for layer in range(program.layers.shape[0]):
        row, constants = program.layers[layer], program.neurons[layer]
        if row[KIND] != LIF:
            continue
        lo, n = row[START], row[SIZE]
        v, spikes = state.neurons[V, lo : lo + n], state.spikes[lo : lo + n]
        counts.layers[phase, layer, CLAMPED] += integrate_and_fire(
            v, state.neurons[TOTAL, lo : lo + n], spikes, state.integers[PAUSE, lo : lo + n], constants[THRESHOLD],
            constants[LOW], constants[HIGH], constants[REST], row[HARD] == 1, constants[FLOOR], constants[CEILING],
            scales.wrap, row[REFRACTORY], row[LEAK],
        )  # fmt: skip
        count, fired = state.integers[COUNT, lo : lo + n], state.integers[FIRED, lo : lo + n]
        state.n_fired[layer] = list_fired(spikes, fired, count)


@splice
def send(program, scales, weights, state):
    """Deliver this tick's spikes along every projection, forward and, where it is symmetric, backward."""
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        if row[FORWARD_AT] < 0:
            continue
        lo, at, width = program.layers[row[PRE], START], row[FORWARD_AT], program.layers[row[POST], PADDED]
        deliver(
            weights.stored, state.current[at : at + width], state.integers[FIRED, lo:], state.n_fired[row[PRE]],
            row[OFFSET], row[ROW], scales.residue, scales.odd,
        )  # fmt: skip
        if row[SYMMETRIC]:
            lo, at, n = program.layers[row[POST], START], row[BACKWARD_AT], program.layers[row[PRE], SIZE]
            deliver_back(
                weights.stored, state.current[at : at + n], n, state.integers[FIRED, lo:], state.n_fired[row[POST]],
                row[OFFSET], row[ROW], scales.residue, scales.odd,
            )  # fmt: skip


@splice
def record_updates(record, t, p, from_pre, own, steps, multiplier):
    """Append what one spike asks for to the update probe, as far as it has room; count all."""
    for k in range(steps.size):
        at = record.n_updates[0]
        record.n_updates[0] += 1
        if at < record.update_asked.size:
            place = record.update_place[at]
            place[0], place[1], place[2] = t, p, from_pre
            place[3], place[4] = (own, k) if from_pre else (k, own)
            record.update_asked[at] = np.int64(steps[k]) * multiplier


@splice
def learn_projection(program, scales, weights, state, counts, p, gain, sign, t, index, record):
    """Let the spikes of both ends trigger the synapses of projection ``p``: at once, or into accumulators."""
    row, table = program.projections[p], counts.projections[NUDGED, p]
    pre, post, change, words = row[PRE], row[POST], state.traces[CHANGE], state.words
    pre_lo, n_pre = program.layers[pre, START], program.layers[pre, SIZE]
    post_lo, n_post = program.layers[post, START], program.layers[post, SIZE]
    multiplier, low, high = gain[MULTIPLIER] * sign, row[STORED_LOW], row[STORED_HIGH]
    changed = 0
    if not row[HELD]:
        n_words = state.n_fired[pre] * row[ROW]
        draw_words(words, n_words, scales.seed, scales.purpose, AT_PRE, t, index, row[OFFSET] >> 2)
    for e in range(state.n_fired[pre]):
        i, steps = state.integers[FIRED, pre_lo + e], change[post_lo : post_lo + n_post]
        base = row[OFFSET] + i * row[ROW]
        if record.update_asked.size > 0:
            record_updates(record, t, p, True, i, steps, multiplier)
        if row[HELD]:
            changed += hold_row(state.held[base : base + n_post], steps)
            continue
        written, kept, suppressed, clipped = move_row(
            weights.stored[base : base + n_post], steps, words[e * row[ROW] :], multiplier, gain[DROPPED], gain[UP],
            gain[DOWN], low, high, scales.residue,
        )  # fmt: skip
        table[WEIGHT_WRITES] += written
        table[ACCUMULATOR_WRITES] += kept
        table[SUPPRESSED] += suppressed
        table[SATURATIONS] += clipped
    if not row[HELD]:
        n_words = state.n_fired[post] * row[COLUMN]
        draw_words(words, n_words, scales.seed, scales.purpose, AT_POST, t, index, row[COLUMNS] >> 2)
    for e in range(state.n_fired[post]):
        j, steps = state.integers[FIRED, post_lo + e], change[pre_lo : pre_lo + n_pre]
        if record.update_asked.size > 0:
            record_updates(record, t, p, False, j, steps, multiplier)
        if row[HELD]:
            changed += hold_column(state.held[row[OFFSET] + j :], n_pre, row[ROW], steps)
            continue
        written, kept, suppressed, clipped = move_column(
            weights.stored[row[OFFSET] + j :], n_pre, row[ROW], steps, words[e * row[COLUMN] :], multiplier,
            gain[DROPPED], gain[UP], gain[DOWN], low, high, scales.residue,
        )  # fmt: skip
        table[WEIGHT_WRITES] += written
        table[ACCUMULATOR_WRITES] += kept
        table[SUPPRESSED] += suppressed
        table[SATURATIONS] += clipped
    asked_pre, asked_post = state.n_fired[pre] * n_post, state.n_fired[post] * n_pre
    if row[HELD]:
        table[ACCUMULATOR_WRITES] += changed
        table[SUPPRESSED] += asked_pre + asked_post - changed
    counts.layers[NUDGED, post, TRACE_UPDATES] += asked_pre
    counts.layers[NUDGED, pre, TRACE_UPDATES] += asked_post


@splice
def advance_traces(scales, state, t, learning, index):
    """Advance the rate estimates of all neurons."""
    traces, memory = state.traces, state.traces[MEMORY + t % scales.delay]
    if scales.dithered:
        draw_words(state.words, state.spikes.size, scales.seed, scales.purpose, AT_TRACE, t, index, 0)
        advance_dithered(
            traces[RATE], traces[CHANGE], memory, traces[OWED], state.spikes, scales.trace_bits, scales.trace_shift,
            learning, state.words,
        )  # fmt: skip
    else:
        advance(
            traces[RATE], traces[CHANGE], memory, traces[OWED], state.spikes, scales.trace_bits, scales.trace_shift,
            learning,
        )  # fmt: skip


@splice
def tally(program, state, counts, phase, ticks, traced):
    """Enter what a phase did in every tick, and its spikes with the synapses that they reached."""
    layers, count, nudged = program.layers, state.integers[COUNT], phase == NUDGED
    for layer in range(layers.shape[0]):
        lo, n, table = layers[layer, START], layers[layer, SIZE], counts.layers[phase, layer]
        if layers[layer, KIND] != LIF:
            continue
        for i in range(lo, lo + n):
            table[SPIKES] += count[i]
            counts.spikes[phase, i] += count[i]
        table[NEURON_UPDATES] += n * ticks
        reads = int(nudged) + int(nudged and layer == layers.shape[0] - 1)
        table[TRACE_UPDATES] += n * ticks * (reads + (2 if traced else 0))
    for p in range(program.projections.shape[0]):
        row, table = program.projections[p], counts.projections[phase, p]
        if row[FORWARD_AT] >= 0:
            lo, n = layers[row[PRE], START], layers[row[PRE], SIZE]
            for i in range(lo, lo + n):
                table[EVENTS_FORWARD] += count[i] * layers[row[POST], SIZE]
        if row[SYMMETRIC]:
            lo, n = layers[row[POST], START], layers[row[POST], SIZE]
            for i in range(lo, lo + n):
                table[EVENTS_BACKWARD] += count[i] * layers[row[PRE], SIZE]
    counts.run[phase, 0] += ticks
    counts.run[phase, 1] += 1


@splice
def run_phase(
    program, scales, weights, state, counts, phase, first_tick, ticks, readout_from, gains, traced, label, sign, index,
    record,
):  # fmt: skip
    """Run one phase of a presentation, its ticks numbered from ``first_tick`` of the presentation.

    Afterwards row COUNT of the integers holds the spikes of the phase and BEFORE those before tick ``readout_from``.
    """
    layers, integers, out = program.layers, state.integers, program.layers.shape[0] - 1
    fill(integers[COUNT], 0)
    fill(integers[BEFORE], 0)
    nudged = phase == NUDGED
    for t in range(first_tick, first_tick + ticks):
        if t - first_tick == readout_from:
            copy_into(integers[BEFORE], integers[COUNT])
        arrive(program, state)
        if nudged:
            lo, n = layers[out, START], layers[out, SIZE]
            rates = state.traces[RATE, lo : lo + n]
            total = state.neurons[TOTAL, lo : lo + n]
            nudge(total, rates, label, scales.nudge * sign, scales.nudge_shift, scales.target)
        fire(program, scales, state, counts, phase)
        send(program, scales, weights, state)
        if nudged:
            for p in range(program.projections.shape[0]):
                if program.projections[p, PLASTIC] and program.projections[p, FORWARD_AT] >= 0:
                    learn_projection(program, scales, weights, state, counts, p, gains[p], sign, t, index, record)
        if traced:
            advance_traces(scales, state, t, np.int32(nudged), index)
        if t < record.raster.shape[0]:
            copy_into(record.raster[t], state.spikes)
        if t < record.potential.shape[0]:
            copy_into(record.potential[t], state.neurons[V])
            copy_into(record.rate[t], state.traces[RATE])
    tally(program, state, counts, phase, ticks, traced)

"""Loops over samples: a presentation is a free phase and, when learning, a nudged phase that ends with a commit."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import kernel, splice
from eqspike.kernels.clocked import run_phase
from eqspike.kernels.encoders import encode
from eqspike.kernels.layout import (
    BEFORE,
    COLUMN,
    COMMIT,
    COUNT,
    DRIVE,
    END_OF_PHASE,
    FREE,
    INFERENCE,
    KIND,
    LIF,
    MACS_FORWARD,
    NUDGED,
    OFFSET,
    OWED,
    PADDED,
    PAUSE,
    PLASTIC,
    POST,
    PRE,
    ROW,
    SATURATIONS,
    SIZE,
    SOURCE,
    START,
    STATIC,
    SUPPRESSED,
    TOUCHED,
    TRANSPOSED,
    W_HIGH,
    W_LOW,
    WEIGHT_WRITES,
    V,
)
from eqspike.kernels.neurons import add_pixels, copy_into, fill, list_bright
from eqspike.kernels.philox import uniforms
from eqspike.kernels.plasticity import collect_across, copy_across, count_asked, move_row


@splice
def begin(
    program, weights, state, counts, phase, image, index, ticks, encoding, max_rate, seed, purpose, traced
):  # fmt: skip
    """Start a presentation: neurons, currents and traces at rest, constant drive set, input spikes drawn."""
    fill(state.neurons[V], 0)
    fill(state.neurons[OWED], 0)
    fill(state.integers[PAUSE], 0)
    fill(state.spikes, 0)
    fill(state.current, 0)
    if traced:
        for layer in range(state.traces.shape[0]):
            if program.layers[layer, KIND] != STATIC:
                for trace in range(state.traces.shape[1]):
                    fill(state.traces[layer, trace, : program.layers[layer, PADDED]], 0)
    drive = state.neurons[DRIVE]
    copy_into(drive, weights.bias)
    if program.layers[0, KIND] == SOURCE:
        encode(image, encoding, max_rate, ticks, seed, purpose, index, state.starts, state.ids, state.scratch)
    elif program.layers[0, KIND] == STATIC:
        state.n_fired[0] = list_bright(image, state.ids)
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        if program.layers[row[PRE], KIND] == STATIC:
            at, width = program.layers[row[POST], START], program.layers[row[POST], PADDED]
            bright = state.ids[: state.n_fired[0]]
            add_pixels(weights.w, drive[at : at + width], image, bright, row[OFFSET], row[ROW])
            counts.projections[phase, p, MACS_FORWARD] += bright.size * program.layers[row[POST], SIZE]


@splice
def answer(program, state):
    """Return the class with most output spikes in the read-out window.

    Ties go to the output with the higher membrane potential (the charge left over towards its next spike), then to
    the lower class.
    """
    out = program.layers[program.layers.shape[0] - 1]
    lo, v, count, before = out[START], state.neurons[V], state.integers[COUNT], state.integers[BEFORE]
    best = lo
    for k in range(lo + 1, lo + out[SIZE]):
        ours, theirs = count[k] - before[k], count[best] - before[best]
        if ours > theirs or (ours == theirs and v[k] > v[best]):
            best = k
    return best - lo


@splice
def commit_accumulators(program, weights, state, table, row, gain, low, high, both_ways):
    """Move the weights of a projection by what its accumulators hold, and empty these."""
    lo, n_pre, n_post = program.layers[row[PRE], START], program.layers[row[PRE], SIZE], program.layers[row[POST], SIZE]
    accumulated, back, touched = state.accumulated, state.accumulated_back, state.integers[TOUCHED]
    for j in range(n_pre):
        if not (both_ways or touched[lo + j]):
            continue
        base, place = row[OFFSET] + j * row[ROW], row[TRANSPOSED] + j
        if both_ways:
            collect_across(accumulated[base : base + n_post], back[place:], row[COLUMN])
        held = accumulated[base : base + row[ROW]]
        asked = count_asked(held)
        changed, clipped = move_row(weights.w, base, n_post, held, gain, low, high)
        fill(held, 0)
        table[WEIGHT_WRITES] += changed
        table[SATURATIONS] += clipped
        table[SUPPRESSED] += asked - changed
        if row[TRANSPOSED] >= 0:
            copy_across(weights.w[base : base + n_post], weights.wt[place:], row[COLUMN])


@splice
def commit(program, weights, state, counts, phase, gains, bias_gains, image, sources_traced):
    """End a learning phase: commit accumulators, static projections (pixel x what is owed) and biases."""
    owed = state.neurons[OWED]
    for p in range(program.projections.shape[0]):
        row, table = program.projections[p], counts.projections[phase, p]
        low, high = program.bounds[p, W_LOW], program.bounds[p, W_HIGH]
        kind, lo, n = program.layers[row[PRE], KIND], program.layers[row[POST], START], program.layers[row[POST], SIZE]
        if not row[PLASTIC]:
            continue
        if kind == STATIC:
            for pixel in state.ids[: state.n_fired[0]]:
                start, scale = row[OFFSET] + pixel * row[ROW], gains[p] * image[pixel]
                changed, clipped = move_row(weights.w, start, n, owed[lo:], scale, low, high)
                table[WEIGHT_WRITES] += changed
                table[SATURATIONS] += clipped
                table[SUPPRESSED] += n - changed
        elif row[COMMIT] == END_OF_PHASE:
            both_ways = kind == LIF or sources_traced
            commit_accumulators(program, weights, state, table, row, gains[p], low, high, both_ways)
    fill(state.integers[TOUCHED], 0)
    for layer in range(program.layers.shape[0]):
        if program.layers[layer, KIND] == LIF and bias_gains[layer] != 0:
            lo, n = program.layers[layer, START], program.layers[layer, SIZE]
            table = counts.projections[phase, program.projections.shape[0] + layer]
            unbound = bias_gains.dtype.type(np.inf)
            changed, _ = move_row(weights.bias, lo, n, owed[lo:], bias_gains[layer], -unbound, unbound)
            table[WEIGHT_WRITES] += changed
            table[SUPPRESSED] += n - changed


def present(
    program, weights, state, counts, images, labels, order, first, last, setting, teaching, parameters, traits,
    rates, bias_rates, gains, bias_gains, answers, injected, record,
):  # fmt: skip
    """Present the samples ``order[first:last]`` one at a time; ``answers`` gets what each free phase said.

    ``setting`` is (free_ticks, nudged_ticks, readout_from, encoding, max_rate, seed, spikes_purpose, sign_purpose).
    ``teaching`` is (learns, always, beta, random_sign, target_rate, offset). Presentation s draws its random numbers
    from index offset + s. Without ``learns`` there is one phase, counted as inference. With it the gain of a projection
    in the nudged phase is its rate over the signed nudge; a rule that is not contrastive learns ``always``, in the
    free phase too, with its rates as they are. ``injected`` (ticks, N) is a current added at each tick, or empty.
    """
    free_ticks, nudged_ticks, readout_from, encoding, max_rate, seed, spikes_purpose, sign_purpose = setting
    learns, always, beta, random_sign, target_rate, offset = teaching
    ticks = free_ticks + (nudged_ticks if learns else 0)
    for s in range(first, last):
        image, index = images[order[s]], offset + s
        signed = -beta if random_sign and uniforms(seed, sign_purpose, index, 0)[0] > 0.5 else beta
        if learns:
            for p in range(rates.size):
                gains[p] = rates[p] if always else rates[p] / signed
            for layer in range(bias_rates.size):  # all zero for a rule that is not contrastive
                bias_gains[layer] = bias_rates[layer] / signed
        start_phase = FREE if learns else INFERENCE
        begin(
            program, weights, state, counts, start_phase, image, index, ticks, encoding, max_rate, seed,
            spikes_purpose, learns,
        )  # fmt: skip
        for phase in range(start_phase, NUDGED + 1 if learns else INFERENCE + 1):
            nudged = phase == NUDGED
            run_phase(
                program, weights, state, counts, phase, free_ticks if nudged else 0,
                nudged_ticks if nudged else free_ticks, readout_from, injected, parameters, traits, gains,
                learns, nudged or (learns and always), labels[order[s]], signed if nudged else signed - signed,
                target_rate, record,
            )  # fmt: skip
            if not nudged:
                answers[s] = answer(program, state)
        if learns:
            commit(program, weights, state, counts, NUDGED, gains, bias_gains, image, traits[2])


# A user's rule is never cached: its class may stand for other functions in the next process.
present_cached = kernel(present)
present_uncached = kernel(present, cache=False)

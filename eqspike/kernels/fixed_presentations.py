"""The fixed-point loop over samples: a free phase and, when learning, a nudged phase that ends with a commit.

Ticks are those of the clocked engine: neurons integrate what arrived until the last tick and fire or not; each spike is
delivered to every synapse of its neuron; each spike triggers updates that read traces as they stood before this tick's
spikes, pre spikes first; last, traces advance. Everything is an integer.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import kernel, splice
from eqspike.kernels.fixed_layout import (
    ACCUMULATOR_WRITES,
    AT_BIAS,
    AT_COMMIT,
    BEFORE,
    CEILING,
    COUNT,
    DOWN,
    DROPPED,
    FLOOR,
    FORWARD_AT,
    FREE,
    HELD,
    INFERENCE,
    KIND,
    LIF,
    MULTIPLIER,
    NUDGED,
    OFFSET,
    OWED,
    PADDED,
    PLASTIC,
    POST,
    PRE,
    ROW,
    SATURATIONS,
    SIZE,
    START,
    STORED_HIGH,
    STORED_LOW,
    SUPPRESSED,
    UP,
    WEIGHT_WRITES,
    V,
)
from eqspike.kernels.fixed_neurons import (
    fill,
    list_bright,
)
from eqspike.kernels.fixed_plasticity import draw_words, move_row
from eqspike.kernels.fixed_ticks import begin, run_phase
from eqspike.kernels.philox import philox4x32


@splice
def answer(program, state):
    """Return the class with most output spikes in the read-out window.

    Ties go to the output with the higher potential, then to the lower class.
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
def commit_row(scales, weights, words, table, row, gain, factor, steps, i, n):
    """Move the synapses of pre neuron ``i`` by ``factor`` times ``steps`` when the phase ends."""
    base = row[OFFSET] + i * row[ROW]
    written, kept, suppressed, clipped = move_row(
        weights.stored[base : base + n], steps, words, factor, gain[DROPPED], gain[UP], gain[DOWN],
        row[STORED_LOW], row[STORED_HIGH], scales.residue,
    )  # fmt: skip
    table[WEIGHT_WRITES] += written
    table[ACCUMULATOR_WRITES] += kept
    table[SUPPRESSED] += suppressed
    table[SATURATIONS] += clipped


@splice
def commit(program, scales, weights, state, counts, gains, bias_gains, image, bright, sign, index):
    """End a learning phase: static projections (pixel x what is owed), accumulators, biases."""
    owed, layers = state.traces[OWED], program.layers
    for p in range(program.projections.shape[0]):
        row, table, gain = program.projections[p], counts.projections[NUDGED, p], gains[p]
        lo, n, multiplier = layers[row[POST], START], layers[row[POST], SIZE], gain[MULTIPLIER] * sign
        if not row[PLASTIC]:
            continue
        static = row[FORWARD_AT] < 0
        if static or row[HELD]:
            n_words = (bright.size if static else layers[row[PRE], SIZE]) * row[ROW]
            draw_words(state.words, n_words, scales.seed, scales.purpose, AT_COMMIT, 0, index, row[OFFSET] >> 2)
        if static:
            for e in range(bright.size):
                words, pixel, steps = state.words[e * row[ROW] :], bright[e], owed[lo : lo + n]
                factor = multiplier * np.int64(image[pixel])
                commit_row(scales, weights, words, table, row, gain, factor, steps, pixel, n)
        elif row[HELD]:
            for i in range(layers[row[PRE], SIZE]):
                words, base = state.words[i * row[ROW] :], row[OFFSET] + i * row[ROW]
                held = state.held[base : base + n]
                commit_row(scales, weights, words, table, row, gain, multiplier, held, i, n)
                fill(held, 0)
    for layer in range(layers.shape[0]):
        gain = bias_gains[layer]
        if layers[layer, KIND] == LIF and gain[MULTIPLIER] != 0:
            lo, n, width = layers[layer, START], layers[layer, SIZE], layers[layer, PADDED]
            table = counts.projections[NUDGED, program.projections.shape[0] + layer]
            draw_words(state.words, width, scales.seed, scales.purpose, AT_BIAS, 0, index, lo >> 2)
            written, _, suppressed, clipped = move_row(
                weights.bias[lo : lo + n], owed[lo : lo + n], state.words, gain[MULTIPLIER] * sign, gain[DROPPED],
                gain[UP], gain[DOWN], program.neurons[layer, FLOOR], program.neurons[layer, CEILING], 0,
            )  # fmt: skip
            table[WEIGHT_WRITES] += written
            table[SUPPRESSED] += suppressed
            table[SATURATIONS] += clipped


@kernel
def present_fixed(
    program, scales, weights, state, counts, images, labels, setting, teaching, gains, bias_gains, answers, record
):
    """Present ``images`` one at a time; ``answers`` gets what each free phase said.

    ``setting`` is (free_ticks, nudged_ticks, readout_from, sign_purpose), ``teaching`` (learns, random_sign, first):
    image s draws its random numbers from index first + s. Without learning there is one phase, counted as inference.
    """
    free_ticks, nudged_ticks, readout_from, sign_purpose = setting
    learns, random_sign, first = teaching
    for s in range(images.shape[0]):
        image, index = images[s], first + s
        sign = np.int64(1)
        if random_sign:
            seed, place = np.uint64(scales.seed), np.uint64(index)
            low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
            word = philox4x32(
                place & low, place >> half, np.uint64(0), np.uint64(sign_purpose), seed & low, seed >> half
            )[0]
            sign = np.int64(-1) if word >= np.uint64(2**31) else np.int64(1)
        bright = state.bright[: list_bright(image, state.bright)]
        begin(program, scales, weights, state, counts, FREE if learns else INFERENCE, image, bright)
        for phase in range(FREE if learns else INFERENCE, NUDGED + 1 if learns else INFERENCE + 1):
            nudged = phase == NUDGED
            run_phase(
                program, scales, weights, state, counts, phase, free_ticks if nudged else 0,
                nudged_ticks if nudged else free_ticks, readout_from, gains, learns, labels[s], sign, index, record,
            )  # fmt: skip
            if not nudged:
                answers[s] = answer(program, state)
        if learns:
            commit(program, scales, weights, state, counts, gains, bias_gains, image, bright, sign, index)

"""Updates of a clock step: what spikes of either end of a projection ask for, applied or put aside, and recorded."""

from __future__ import annotations

from eqspike.core.jit import splice
from eqspike.kernels.layout import (
    ACCUMULATOR_WRITES,
    COLUMN,
    COMMIT,
    END_OF_PHASE,
    FIRED,
    KIND,
    LANES,
    OFFSET,
    POST,
    PRE,
    ROW,
    SATURATIONS,
    SIZE,
    SOURCE,
    STALE,
    START,
    SUPPRESSED,
    TOUCHED,
    TRANSPOSED,
    W_HIGH,
    W_LOW,
    WEIGHT_WRITES,
)
from eqspike.kernels.plasticity import (
    accumulate_post,
    accumulate_pre,
    bounded,
    copy_across,
    fetch_across,
    fetch_some,
    write_narrow,
    write_post,
    write_pre,
)
from eqspike.kernels.rules import on_post, on_pre


@splice
def fired_ids(program, state, layer, t):
    """Return the ids of the neurons of ``layer`` that spiked at tick ``t``."""
    if program.layers[layer, KIND] == SOURCE:
        return state.ids[state.starts[t] : state.starts[t + 1]]
    lo = program.layers[layer, START]
    return state.integers[FIRED, lo : lo + state.n_fired[layer]]


@splice
def refresh(program, weights, state, p, j):
    """Bring a row of the transposed copy up to date with all weights that spikes of the pre layer moved."""
    row = program.projections[p]
    base, n = row[TRANSPOSED] + j * row[COLUMN], program.layers[row[PRE], SIZE]
    fetch_across(weights.wt[base : base + n], weights.w[row[OFFSET] + j :], row[ROW])
    state.stale[row[STALE] + j] = 0


@splice
def record_updates(record, t, p, from_pre, own, parameters, w, pre, post, gain):
    """Append what one spike asks for to the update probe, as far as it has room; count all."""
    for k in range(w.size):
        at = record.n_updates[0]
        record.n_updates[0] += 1
        if at < record.update_value.size:
            i, j = (own, k) if from_pre else (k, own)
            place = record.update_place[at]
            place[0], place[1], place[2], place[3], place[4] = t, p, from_pre, i, j
            if from_pre:
                record.update_value[at] = gain * on_pre(parameters, w[k], pre, i, post, j)
            else:
                record.update_value[at] = gain * on_post(parameters, w[k], pre, i, post, j)


@splice
def learn_from_pre(program, weights, state, counts, phase, t, p, parameters, gain, record):
    """Let the spikes of the pre layer trigger projection ``p``, one row of synapses each."""
    row, table = program.projections[p], counts.projections[phase, p]
    pre, post = state.traces[row[PRE]], state.traces[row[POST]]
    n, lo, held = program.layers[row[POST], SIZE], program.layers[row[PRE], START], row[COMMIT] == END_OF_PHASE
    low, high = program.bounds[p, W_LOW], program.bounds[p, W_HIGH]
    ids, changed, clipped = fired_ids(program, state, row[PRE], t), 0, 0
    if record.update_value.size > 0:
        for i in ids:
            base = row[OFFSET] + i * row[ROW]
            record_updates(record, t, p, True, i, parameters, weights.w[base : base + n], pre, post, gain)
    if held:
        for i in ids:
            base = row[OFFSET] + i * row[ROW]
            w, accumulated = weights.w[base : base + n], state.accumulated[base : base + n]
            state.integers[TOUCHED, lo + i] = 1
            changed += accumulate_pre(parameters, accumulated, w, pre, post, i)
    elif row[ROW] == LANES:
        moved, cut = write_narrow(parameters, weights.w, row[OFFSET], ids, pre, post, n, gain, low, high)
        changed += moved
        clipped += cut
    else:
        for i in ids:
            base = row[OFFSET] + i * row[ROW]
            moved, cut = write_pre(parameters, weights.w[base : base + n], pre, post, i, gain, low, high)
            changed += moved
            clipped += cut
    if row[TRANSPOSED] >= 0 and ids.size > 0 and not held:
        stale = state.stale[row[STALE] : row[STALE] + n]
        for j in range(n):
            stale[j] = t + 1 if stale[j] == 0 else -1
    table[ACCUMULATOR_WRITES if held else WEIGHT_WRITES] += changed
    table[SUPPRESSED] -= changed
    if bounded(low, high):
        table[SATURATIONS] += clipped


@splice
def learn_from_post(program, weights, state, counts, phase, t, p, parameters, gain, record):
    """Let the spikes of the post layer trigger projection ``p``, one row of its transposed copy each."""
    row, table = program.projections[p], counts.projections[phase, p]
    pre, post = state.traces[row[PRE]], state.traces[row[POST]]
    n, held = program.layers[row[PRE], SIZE], row[COMMIT] == END_OF_PHASE
    low, high = program.bounds[p, W_LOW], program.bounds[p, W_HIGH]
    ids, changed, clipped = fired_ids(program, state, row[POST], t), 0, 0
    for j in ids:
        base = row[TRANSPOSED] + j * row[COLUMN]
        w = weights.wt[base : base + n]
        since = state.stale[row[STALE] + j]
        if since == t + 1:
            fetch_some(w, weights.w[row[OFFSET] + j :], row[ROW], fired_ids(program, state, row[PRE], t))
            state.stale[row[STALE] + j] = 0
        elif since != 0:
            refresh(program, weights, state, p, j)
        if record.update_value.size > 0:
            record_updates(record, t, p, False, j, parameters, w, pre, post, gain)
        if held:
            changed += accumulate_post(parameters, state.accumulated_back[base : base + n], w, pre, post, j)
            continue
        moved, cut = write_post(parameters, w, pre, post, j, gain, low, high)
        changed += moved
        clipped += cut
        copy_across(w, weights.w[row[OFFSET] + j :], row[ROW])
    table[ACCUMULATOR_WRITES if held else WEIGHT_WRITES] += changed
    table[SUPPRESSED] -= changed
    if bounded(low, high):
        table[SATURATIONS] += clipped

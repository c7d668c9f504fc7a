"""Weight changes triggered by spikes, one row of synapses a spike.

``gain`` scales what the rule asks for. With IMMEDIATE the stored weight moves at once; with END_OF_PHASE an accumulator
at the synapse does, and the weight moves when the phase ends.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import apart, inline
from eqspike.core.lanes import LANES, at_least, at_most, below, filled, load, select, store, sum_lanes, with_lane
from eqspike.kernels.rules import on_post, on_pre


@apart
def accumulate_pre(parameters, accumulated, w, pre, post, fired):
    """Add what a pre spike asks for to a row of accumulators; return how many changed."""
    changed = np.int32(0)
    for k in range(w.size):
        before = accumulated[k]
        after = before + on_pre(parameters, w[k], pre, fired, post, k)
        accumulated[k] = after
        changed += np.int32(after != before)
    return changed


@apart
def accumulate_post(parameters, accumulated, w, pre, post, fired):
    """Add what a post spike asks for to a row of accumulators; return how many changed."""
    changed = np.int32(0)
    for k in range(w.size):
        before = accumulated[k]
        after = before + on_post(parameters, w[k], pre, k, post, fired)
        accumulated[k] = after
        changed += np.int32(after != before)
    return changed


@inline
def bounded(low, high):
    """Say whether weights can be clipped at all; where they cannot, rows are moved without asking."""
    return low > -np.inf or high < np.inf


@apart
def write_pre(parameters, w, pre, post, fired, gain, low, high):
    """Move a row of weights by what a pre spike asks for, clipped to [low, high]; return (changed, clipped)."""
    changed, clipped, clips = np.int32(0), np.int32(0), bounded(low, high)
    for k in range(w.size):
        before = w[k]
        wanted = before + gain * on_pre(parameters, before, pre, fired, post, k)
        after = min(max(wanted, low), high) if clips else wanted
        w[k] = after
        changed += np.int32(after != before)
        if clips:
            clipped += np.int32(after != wanted)
    return changed, clipped


@apart
def write_narrow(parameters, w, offset, ids, pre, post, n, gain, low, high):
    """Do what :func:`write_pre` does for all that fired, where a row of ``n`` weights is one lanes long."""
    inside, clips = below(n), bounded(low, high)
    changed, clipped = filled(np.int32(0)), filled(np.int32(0))
    for i in ids:
        base = offset + i * LANES
        before = load(w, base)
        asked = filled(gain)
        for k in range(LANES):
            asked = with_lane(asked, k, on_pre(parameters, w[base + k], pre, i, post, k))
        wanted = select(inside, before + asked * gain, before)
        after = wanted
        if clips:
            after = select(inside, at_most(at_least(wanted, low), high), before)
            clipped = clipped + (after != wanted)
        store(w, base, after)
        changed = changed + (after != before)
    return sum_lanes(changed), sum_lanes(clipped)


@apart
def write_post(parameters, w, pre, post, fired, gain, low, high):
    """Move a row of transposed weights by what a post spike asks for, clipped; return (changed, clipped)."""
    changed, clipped, clips = np.int32(0), np.int32(0), bounded(low, high)
    for k in range(w.size):
        before = w[k]
        wanted = before + gain * on_post(parameters, before, pre, k, post, fired)
        after = min(max(wanted, low), high) if clips else wanted
        w[k] = after
        changed += np.int32(after != before)
        if clips:
            clipped += np.int32(after != wanted)
    return changed, clipped


@apart
def copy_across(row, target, stride):
    """Copy a row of one order of the weights into a column of the other."""
    for k in range(row.size):
        target[np.uint64(k * stride)] = row[k]


@apart
def fetch_across(row, source, stride):
    """Copy a column of one order of the weights into a row of the other."""
    for k in range(row.size):
        row[k] = source[np.uint64(k * stride)]


@apart
def fetch_some(row, source, stride, ids):
    """Copy the elements ``ids`` of a column of one order of the weights into a row of the other."""
    for e in range(ids.size):
        row[np.uint64(ids[e])] = source[np.uint64(ids[e] * stride)]


@apart
def collect_across(row, target, stride):
    """Add a column of the other order to a row and empty the column."""
    for k in range(row.size):
        row[k] += target[k * stride]
        target[k * stride] = 0


@inline
def count_asked(held):
    """Return how many accumulators of a row hold an update."""
    asked = np.int32(0)
    for k in range(held.size):
        asked += np.int32(held[k] != 0)
    return asked


@apart
def move_row(w, start, n, steps, scale, low, high):
    """Move ``w[start : start + n]`` by ``scale * steps``, clipped to [low, high]; return (changed, clipped)."""
    changed, clipped, clips = filled(np.int32(0)), filled(np.int32(0)), bounded(low, high)
    whole = n // LANES * LANES
    for at in range(0, whole, LANES):
        before = load(w, start + at)
        wanted = before + load(steps, at) * scale
        after = wanted
        if clips:
            after = at_most(at_least(wanted, low), high)
            clipped = clipped + (after != wanted)
        store(w, start + at, after)
        changed = changed + (after != before)
    if whole < n:
        inside, before = below(n - whole), load(w, start + whole)
        wanted = select(inside, before + load(steps, whole) * scale, before)
        after = wanted
        if clips:
            after = select(inside, at_most(at_least(wanted, low), high), before)
            clipped = clipped + (after != wanted)
        store(w, start + whole, after)
        changed = changed + (after != before)
    return sum_lanes(changed), sum_lanes(clipped)


@apart
def owe(parameters, owed, post, zero):
    """Add one tick of what a presynaptic activity of constant 1, which has no traces, asks for per post neuron."""
    for k in range(owed.size):
        owed[k] += on_pre(parameters, zero, post, 0, post, k)

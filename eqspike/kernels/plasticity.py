"""Weight changes triggered by spikes, one row of synapses a spike.

``gain`` scales what the rule asks for. With IMMEDIATE the stored weight moves at once; with END_OF_PHASE an accumulator
at the synapse does, and the weight moves when the phase ends.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline
from eqspike.kernels.rules import on_post, on_pre


@inline
def accumulate_pre(parameters, accumulated, w, pre, post, fired):
    """Add what a pre spike asks for to a row of accumulators; return how many changed."""
    changed = np.int32(0)
    for k in range(w.size):
        before = accumulated[k]
        after = before + on_pre(parameters, w[k], pre, fired, post, k)
        accumulated[k] = after
        changed += np.int32(after != before)
    return changed


@inline
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
def write_pre(parameters, w, pre, post, fired, gain, low, high):
    """Move a row of weights by what a pre spike asks for, clipped to [low, high]; return (changed, clipped)."""
    changed, clipped = np.int32(0), np.int32(0)
    for k in range(w.size):
        before = w[k]
        wanted = before + gain * on_pre(parameters, before, pre, fired, post, k)
        after = min(max(wanted, low), high)
        w[k] = after
        changed += np.int32(after != before)
        clipped += np.int32(after != wanted)
    return changed, clipped


@inline
def write_post(parameters, w, pre, post, fired, gain, low, high):
    """Move a row of transposed weights by what a post spike asks for, clipped; return (changed, clipped)."""
    changed, clipped = np.int32(0), np.int32(0)
    for k in range(w.size):
        before = w[k]
        wanted = before + gain * on_post(parameters, before, pre, k, post, fired)
        after = min(max(wanted, low), high)
        w[k] = after
        changed += np.int32(after != before)
        clipped += np.int32(after != wanted)
    return changed, clipped


@inline
def copy_across(row, target, stride):
    """Copy a row of one order of the weights into a column of the other."""
    for k in range(row.size):
        target[k * stride] = row[k]


@inline
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


@inline
def move_row(w, steps, scale, low, high):
    """Move a row of weights by ``scale * steps``, clipped to [low, high]; return (changed, clipped)."""
    changed, clipped = np.int32(0), np.int32(0)
    for k in range(w.size):
        before = w[k]
        wanted = before + scale * steps[k]
        after = min(max(wanted, low), high)
        w[k] = after
        changed += np.int32(after != before)
        clipped += np.int32(after != wanted)
    return changed, clipped


@inline
def owe(parameters, owed, post, zero):
    """Add one tick of what a presynaptic activity of constant 1, which has no traces, asks for per post neuron."""
    for k in range(owed.size):
        owed[k] += on_pre(parameters, zero, post, 0, post, k)

"""Weight changes in integers, rounded stochastically by words of a counter-based stream.

A synapse stores one integer: its upper bits are the weight, ``residue`` lower bits keep what is less than a step of it
(0: nothing is kept). An update adds ``(steps * multiplier + draw) >> dropped`` with ``draw`` uniform below
2**dropped, so that its mean is exact.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import apart
from eqspike.kernels.philox import philox4x32

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@apart
def draw_words(words, n, seed, purpose, use, tick, index, at):
    """Fill ``words[:n]`` (n a multiple of 4) from block ``at`` on: word w of block b stands at w * n / 4 + b.

    The counter is (index, at + b, purpose + 2**8 use + 2**16 tick), the key ``seed``: a word depends on the
    presentation and on where it is used, not on what was drawn before. Rows that move together draw together, in
    order: then the loop is long enough for vectors.
    """
    blocks = n >> 2
    key0, key1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    index0, index1 = np.uint64(index) & _LOW, np.uint64(index) >> _32
    place = np.uint64(purpose + (use << 8) + (tick << 16))
    for b in range(blocks):
        w0, w1, w2, w3 = philox4x32(index0, index1, np.uint64(at + b), place, key0, key1)
        words[b] = w0
        words[b + blocks] = w1
        words[b + 2 * blocks] = w2
        words[b + 3 * blocks] = w3


@apart
def move_row(stored, steps, words, multiplier, dropped, up, down, low, high, residue):
    """Move a row of synapses; return (weights changed, residues changed, unchanged, clipped)."""
    written, kept, suppressed, clipped = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
    mask = (1 << residue) - 1
    for k in range(stored.size):
        before = np.int64(stored[k])
        draw = (np.int64(words[k]) << up) >> down
        wanted = before + ((np.int64(steps[k]) * multiplier + draw) >> dropped)
        after = min(max(wanted, low), high)
        stored[k] = after
        written += np.int32((after >> residue) != (before >> residue))
        kept += np.int32((after & mask) != (before & mask))
        suppressed += np.int32(after == before)
        clipped += np.int32(after != wanted)
    return written, kept, suppressed, clipped


@apart
def move_column(stored, n, stride, steps, words, multiplier, dropped, up, down, low, high, residue):
    """As :func:`move_row` for ``n`` synapses that stand ``stride`` apart."""
    written, kept, suppressed, clipped = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
    mask = (1 << residue) - 1
    for k in range(n):
        before = np.int64(stored[k * stride])
        draw = (np.int64(words[k]) << up) >> down
        wanted = before + ((np.int64(steps[k]) * multiplier + draw) >> dropped)
        after = min(max(wanted, low), high)
        stored[k * stride] = after
        written += np.int32((after >> residue) != (before >> residue))
        kept += np.int32((after & mask) != (before & mask))
        suppressed += np.int32(after == before)
        clipped += np.int32(after != wanted)
    return written, kept, suppressed, clipped


@apart
def hold_row(held, steps):
    """Add what a spike asks for to a row of accumulators; return how many changed."""
    changed = np.int32(0)
    for k in range(held.size):
        held[k] += steps[k]
        changed += np.int32(steps[k] != 0)
    return changed


@apart
def hold_column(held, n, stride, steps):
    """As :func:`hold_row` for ``n`` accumulators that stand ``stride`` apart."""
    changed = np.int32(0)
    for k in range(n):
        held[k * stride] += steps[k]
        changed += np.int32(steps[k] != 0)
    return changed

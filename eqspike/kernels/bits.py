"""Rows of sign bits: sums of what arrives over plus-one and minus-one weights, 32 to a word.

A set bit is a weight of +1, a clear one of -1. Sums are kept as those over set bits alone: with a total N of everything
that arrived, the signed sum is 2 C - N.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline, popcount

LANES = 32  # weights in a word
MASK = np.uint32(1) << np.arange(LANES, dtype=np.uint32)  # a table, not a shift: it keeps the lanes in one vector


@inline
def add_row(row, value, sums):
    """Add ``value`` to the sums of all set bits of a row."""
    for k in range(row.size):
        word = row[k]
        for lane in range(LANES):
            if word & MASK[lane]:
                sums[LANES * k + lane] += value


@inline
def add_rows(row0, row1, row2, row3, values, sums):
    """Add four values, each to the sums of the set bits of its row, in one pass over the sums."""
    value0, value1, value2, value3 = values[0], values[1], values[2], values[3]
    for k in range(row0.size):
        word0, word1, word2, word3 = row0[k], row1[k], row2[k], row3[k]
        for lane in range(LANES):
            mask = MASK[lane]
            total = sums[LANES * k + lane]
            if word0 & mask:
                total += value0
            if word1 & mask:
                total += value1
            if word2 & mask:
                total += value2
            if word3 & mask:
                total += value3
            sums[LANES * k + lane] = total


@inline
def overlap(row, on, off):
    """Return how many set bits of a row lie in ``on``, less those in ``off``."""
    count = np.int32(0)
    for k in range(row.size):
        count += np.int32(popcount(np.uint32(row[k] & on[k]))) - np.int32(popcount(np.uint32(row[k] & off[k])))
    return count


@inline
def overlap_at(row, on, off, places, n_places):
    """Return :func:`overlap` over the first ``n_places`` of the words listed in ``places``."""
    count = np.int32(0)
    for at in range(n_places):
        k = places[at]
        count += np.int32(popcount(np.uint32(row[k] & on[k]))) - np.int32(popcount(np.uint32(row[k] & off[k])))
    return count


@inline
def add_signed_row(row, value, sums):
    """Add ``value`` to the sums of a row where bits are set, and take it away where they are clear."""
    for k in range(row.size):
        word = row[k]
        for lane in range(LANES):
            sums[LANES * k + lane] += value if word & MASK[lane] else -value


@inline
def add_signed(word, values, parts):
    """Add a word's values to partial sums, one a lane, with the sign of its bits."""
    for lane in range(LANES):
        parts[lane] += values[lane] if word & MASK[lane] else -values[lane]


@inline
def count_bits(words):
    """Return how many bits are set."""
    count = np.int64(0)
    for k in range(words.size):
        count += popcount(words[k])
    return count


@inline
def copy(values, to):
    """Copy ``values`` (assigning a slice would allocate)."""
    for i in range(values.size):
        to[i] = values[i]


@inline
def clear(values):
    """Set all ``values`` to zero."""
    for i in range(values.size):
        values[i] = 0


@inline
def add_scaled(values, factor, sums):
    """Add ``factor`` x ``values``."""
    for i in range(values.size):
        sums[i] += factor * values[i]

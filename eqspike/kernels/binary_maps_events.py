"""Events of convolutional binary networks: up through a kernel into a pool, and down from the largest of a pool."""

from __future__ import annotations

from eqspike.core.jit import inline, splice
from eqspike.kernels.binary_maps_layout import (
    ACROSS,
    BLOCKS,
    CHANNELS,
    DOWN,
    HEIGHT,
    OFFSET,
    PADDING,
    POOL,
    ROWS,
    START,
    TALL,
    WIDE,
    WIDTH,
)
from eqspike.kernels.bits import LANES, MASK


@inline
def add_word(word, value, sums):
    """Add a value to 32 sums with the signs of a word."""
    for lane in range(LANES):
        sums[lane] += value if word & MASK[lane] else -value


@inline
def add_column(words, mask, value, sums):
    """Add a value to as many sums as words, with the sign of one and the same lane of each."""
    for i in range(words.size):
        sums[i] += value if words[i] & mask else -value


@inline
def list_changes(now, before, listed, values):
    """List which of a place's channels have changed, and by how much; return their number."""
    different, n = 0, 0
    for i in range(now.size):
        different += now[i] != before[i]
    if different > 0:
        for i in range(now.size):
            if now[i] != before[i]:
                listed[n] = i
                values[n] = now[i]
                values[n] -= before[i]
                n += 1
    return n


@inline
def send_up(bits, row, y, x, channels, n, listed, values, z, stale):
    """Add ``n`` values at a place to all sums within a kernel's reach; return how many places that were.

    ``stale`` gets the pools to look at again.
    """
    tall, wide, padding, pool, blocks = row[TALL], row[WIDE], row[PADDING], row[POOL], row[BLOCKS]
    reached = 0
    for a in range(max(0, y + padding - row[DOWN] + 1), min(tall - 1, y + padding) + 1):
        for b in range(max(0, x + padding - row[ACROSS] + 1), min(wide - 1, x + padding) + 1):
            v, u = y + padding - a, x + padding - b
            reached += 1
            stale[v // pool * (row[ACROSS] // pool) + u // pool] = 1
            to, at = (v * row[ACROSS] + u) * blocks * LANES, row[OFFSET] + (a * wide + b) * channels
            for k in range(blocks):
                first = to + k * LANES
                for j in range(n):
                    add_word(bits[at + k * row[ROWS] + listed[j]], values[j], z[first : first + LANES])
    return reached


@inline
def pool_place(z, row, y, x, forward, where, rounded):
    """Find the largest sum of a place's square for every channel, the first of equals, and where it stands.

    Sums are compared as they are passed on, ``rounded`` to the kind of ``forward``.
    """
    pool, width = row[POOL], row[BLOCKS] * LANES
    for t in range(pool * pool):
        first = ((y * pool + t // pool) * row[ACROSS] + x * pool + t % pool) * width
        sums = z[first : first + forward.size]
        if t == 0:
            for c in range(forward.size):
                forward[c] = sums[c]
                where[c] = 0
        else:
            for c in range(forward.size):
                rounded[c] = sums[c]
            for c in range(forward.size):
                larger = rounded[c] > forward[c]
                forward[c] = rounded[c] if larger else forward[c]
                where[c] = t if larger else where[c]


@splice
def pool_stale(row, layer, z, stale, forward, where, rounded):
    """Look again at the pools that something has reached."""
    channels = layer[CHANNELS]
    for y in range(layer[HEIGHT]):
        for x in range(layer[WIDTH]):
            place = y * layer[WIDTH] + x
            if stale[place] != 0:
                stale[place] = 0
                first = layer[START] + place * channels
                end = first + channels
                pool_place(z, row, y, x, forward[first:end], where[first:end], rounded)


@inline
def window(row, layer, place, at):
    """Return where the sum ``at`` a place of a pool begins: first place below, and the taps that exist."""
    pool = row[POOL]
    across = row[ACROSS] // pool
    v, u = place // across * pool + at // pool - row[PADDING], place % across * pool + at % pool - row[PADDING]
    top, bottom = max(0, -v), min(row[TALL], layer[HEIGHT] - v)
    left, right = max(0, -u), min(row[WIDE], layer[WIDTH] - u)
    return v, u, top, bottom, left, right


@inline
def send_down(bits, row, layer, place, at, c, value, backward):
    """Add a value to the sums of all neurons below that the sum ``at`` a place of a pool is made of; return how many.

    ``layer`` is the one below; ``backward`` its sums, as many as neurons.
    """
    width, channels = layer[WIDTH], layer[CHANNELS]
    v, u, top, bottom, left, right = window(row, layer, place, at)
    block, mask = row[OFFSET] + c // LANES * row[ROWS], MASK[c % LANES]
    length = (right - left) * channels
    reached = 0
    for a in range(top, bottom):
        first, to = block + (a * row[WIDE] + left) * channels, ((v + a) * width + u + left) * channels
        add_column(bits[first : first + length], mask, value, backward[to : to + length])
        reached += length
    return reached

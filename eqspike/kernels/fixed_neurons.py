"""Integer neurons on a clock: registers of declared width, right shifts, no multiplication but that of the nudge."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import apart, inline


@inline
def copy_into(target, source):
    """Copy ``source`` into ``target``."""
    for k in range(target.size):
        target[k] = source[k]


@inline
def fill(target, value):
    """Set every element of ``target``."""
    for k in range(target.size):
        target[k] = value


@apart
def shifted_into(total, current, shift, round_up):
    """Add ``current * 2**shift`` to ``total`` and empty it; to the right it rounds to nearest, halves up."""
    exact = total.dtype.type
    for k in range(current.size):
        moved = exact(current[k] << shift) if shift >= 0 else exact((current[k] + round_up) >> -shift)
        total[k] = exact(total[k] + moved)
        current[k] = 0


@apart
def integrate_and_fire(v, total, spikes, pause, threshold, low, high, rest, hard, floor, ceiling, wrap, ticks, leak):
    """Advance a layer: V - leak + I, a spike where V >= threshold, reset, clamp; return how many potentials were cut.

    The leak is V >> leak, rounded down; 0 is none. The register holds [floor, ceiling]; what does not fit saturates, or
    with ``wrap`` loses its upper bits. With a refractory time of ``ticks`` a potential stands still for that long after
    a spike.
    """
    cut = np.int32(0)
    exact = v.dtype.type
    mask = exact(ceiling - floor)
    if ticks > 0:
        for i in range(v.size):
            spikes[i] = 0
            if pause[i] > 0:
                pause[i] -= 1
                continue
            asked = exact(v[i] - exact(v[i] >> leak if leak > 0 else 0) + total[i])
            u = exact(exact(exact(asked - floor) & mask) + floor) if wrap else min(max(asked, floor), ceiling)
            lost = u != asked
            if u >= threshold:
                spikes[i] = 1
                pause[i] = ticks
                u = rest if hard else exact(u - threshold)
            v[i] = min(max(u, low), high)
            cut += np.int32(lost | (v[i] != u))
        return cut
    for i in range(v.size):
        asked = exact(v[i] - exact(v[i] >> leak if leak > 0 else 0) + total[i])
        u = exact(exact(exact(asked - floor) & mask) + floor) if wrap else min(max(asked, floor), ceiling)
        lost = u != asked
        fired = u >= threshold
        after = rest if hard else exact(u - threshold)
        u = after if fired else u
        spikes[i] = fired
        held = min(max(u, low), high)
        cut += np.int32(lost | (held != u))
        v[i] = held
    return cut


@apart
def list_fired(spikes, fired, count):
    """Write the ids of the neurons that fired into ``fired``, without a branch on each; return how many."""
    found = 0
    for i in range(spikes.size):
        fired[found] = i
        found += spikes[i]
    for i in range(spikes.size):
        count[i] += spikes[i]
    return found


@inline
def weight_of(stored, residue, odd):
    """Return the weight in its unit: the upper bits of what a synapse stores; odd weights have half units between."""
    return np.int32(np.int32(np.int32(stored >> residue) << odd) | odd)


@apart
def deliver(stored, current, fired, n_fired, offset, row, residue, odd):
    """Add the weight rows of the neurons ``fired`` to a current."""
    exact = current.dtype.type
    for e in range(n_fired):
        a = stored[offset + fired[e] * row :][: current.size]
        for k in range(current.size):
            current[k] = exact(current[k] + exact(weight_of(a[k], residue, odd)))


@apart
def deliver_back(stored, current, n, fired, n_fired, offset, row, residue, odd):
    """Add the weights of the post neurons ``fired`` to a current onto the ``n`` pre neurons, a column each."""
    exact = current.dtype.type
    for e in range(n_fired):
        column = stored[offset + fired[e] :]
        for k in range(n):
            current[k] = exact(current[k] + exact(weight_of(column[k * row], residue, odd)))


@apart
def add_pixels(stored, sums, image, bright, offset, row, residue, odd):
    """Add pixel times weight row for the ``bright`` pixels."""
    exact = sums.dtype.type
    for pixel in bright:
        x = exact(image[pixel])
        a = stored[offset + pixel * row :][: sums.size]
        for k in range(sums.size):
            sums[k] = exact(sums[k] + exact(x * exact(weight_of(a[k], residue, odd))))


@apart
def list_bright(image, bright):
    """Write the places of the pixels that are not zero into ``bright``, without a branch; return how many."""
    found = 0
    for pixel in range(image.size):
        bright[found] = pixel
        found += np.int64(image[pixel] != 0)
    return found


@inline
def nudge(total, rates, label, multiplier, shift, target):
    """Add the nudging current to the outputs: (target - r) * multiplier >> shift, rounded to nearest, halves up."""
    half = (np.int64(1) << shift) >> 1
    exact = total.dtype.type
    for k in range(total.size):
        wanted = np.int64(target) if k == label else np.int64(0)
        total[k] = exact(total[k] + exact(((wanted - np.int64(rates[k])) * multiplier + half) >> shift))


@apart
def advance(rate, change, memory, owed, spikes, bits, shift, learning):
    """Move rate estimates by a tick, r += ((s << bits) - r) >> shift rounded down, and their change over the delay.

    What the tick owes to weights from constant inputs is added first where ``learning`` is 1.
    """
    for i in range(rate.size):
        owed[i] += np.int32(learning * change[i])
        r = rate[i]
        r = np.int32(r + np.int32(np.int32(np.int32(np.int32(spikes[i]) << bits) - r) >> shift))
        change[i] = np.int32(r - memory[i])
        memory[i] = r
        rate[i] = r


@apart
def advance_dithered(rate, change, memory, owed, spikes, bits, shift, learning, words):
    """As :func:`advance`, with the shift rounded stochastically by the upper bits of ``words``."""
    down = 32 - shift
    for i in range(rate.size):
        owed[i] += np.int32(learning * change[i])
        r = rate[i]
        gap = np.int32(np.int32(np.int32(spikes[i]) << bits) - r)
        r = np.int32(r + np.int32(np.int32(gap + np.int32(np.int64(words[i]) >> down)) >> shift))
        change[i] = np.int32(r - memory[i])
        memory[i] = r
        rate[i] = r

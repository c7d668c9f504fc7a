"""Leaky integrate-and-fire neurons on a clock, and the delivery of their spikes as events."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import apart, inline
from eqspike.core.lanes import LANES, append, at_least, at_most, filled, load, select, store, sum_lanes, tally


@inline
def copy_into(target, source):
    """Copy ``source`` into ``target``."""
    for k in range(target.size):
        target[k] = source[k]


@inline
def add_into(target, source):
    """Add ``source`` to ``target``."""
    for k in range(target.size):
        target[k] += source[k]


@inline
def fill(target, value):
    """Set every element of ``target``: a loop compiles in a hundredth of a slice assignment's time."""
    for k in range(target.size):
        target[k] = value


@inline
def total(values):
    """Return the sum of integers."""
    found = 0
    for k in range(values.size):
        found += values[k]
    return found


@apart
def decay_into(total, current, decay):
    """Add a channel's current to the summed input of its layer and let it decay by one tick."""
    for k in range(current.size):
        total[k] += current[k]
        current[k] *= decay


@apart
def integrate_and_fire(
    v, total, current, decay, spikes, fired, count, keep, threshold, low, high, rest, hard
):  # fmt: skip
    """Advance a layer by a tick: V <- (1 - leak) V + I, spike where V >= threshold, reset, clamp to [low, high].

    I is ``total`` and a channel's ``current``, which decays. The ids of those that fired go to ``fired``. Arrays run
    over whole lanes. Returns how many fired and how many potentials the clamp cut.
    """
    found, cut = 0, filled(np.int32(0))
    for at in range(0, v.size, LANES):
        arriving = load(current, at)
        u = load(v, at) * keep + (load(total, at) + arriving)
        store(current, at, arriving * decay)
        fires = u >= threshold
        u = select(fires, rest, u) if hard else select(fires, u - threshold, u)
        held = at_most(at_least(u, low), high)
        store(v, at, held)
        store(spikes, at, fires)
        store(count, at, load(count, at) + fires)
        append(fired, found, at, fires)
        found += tally(fires)
        cut = cut + (held != u)
    return found, sum_lanes(cut)


@inline
def integrate_with_pause(v, total, spikes, pause, keep, threshold, low, high, rest, hard, ticks):
    """As :func:`integrate_and_fire` with a refractory time of ``ticks``, during which the potential stands still."""
    cut = 0
    for i in range(v.size):
        spikes[i] = 0
        if pause[i] > 0:
            pause[i] -= 1
            continue
        u = keep * v[i] + total[i]
        if u >= threshold:
            spikes[i] = 1
            pause[i] = ticks
            u = rest if hard else u - threshold
        held = min(max(u, low), high)
        cut += held != u
        v[i] = held
    return cut


@inline
def list_fired(spikes, fired, count):
    """Write the ids of the neurons that fired into ``fired``, without a branch on each; return how many."""
    found = 0
    for i in range(spikes.size):
        fired[found] = i
        found += spikes[i]
    for i in range(spikes.size):
        count[i] += spikes[i]
    return found


@apart
def deliver_narrow(w, current, ids, offset, scale):
    """Add ``scale`` times the weight rows of the neurons ``ids``, each one lanes long, to a channel."""
    even, odd = load(current, 0), load(current, 0) * 0
    e = 0
    while e + 2 <= ids.size:
        even = even + load(w, offset + ids[e] * LANES) * scale
        odd = odd + load(w, offset + ids[e + 1] * LANES) * scale
        e += 2
    if e < ids.size:
        even = even + load(w, offset + ids[e] * LANES) * scale
    store(current, 0, even + odd)


@apart
def deliver(w, current, ids, offset, row, scale):
    """Add ``scale`` times the weight rows of the neurons ``ids`` to a channel, four rows a pass."""
    width = current.size
    e = 0
    while e + 4 <= ids.size:
        a, b = w[offset + ids[e] * row :][:width], w[offset + ids[e + 1] * row :][:width]
        c, d = w[offset + ids[e + 2] * row :][:width], w[offset + ids[e + 3] * row :][:width]
        for k in range(width):
            current[k] += scale * ((a[k] + b[k]) + (c[k] + d[k]))
        e += 4
    while e < ids.size:
        a = w[offset + ids[e] * row :][:width]
        for k in range(width):
            current[k] += scale * a[k]
        e += 1


@inline
def list_bright(image, bright):
    """Write the places of the pixels that are not zero into ``bright``, without a branch; return how many."""
    found = 0
    for pixel in range(image.size):
        bright[found] = pixel
        found += image[pixel] != 0
    return found


@apart
def add_pixels(w, drive, image, bright, offset, row):
    """Add pixel times weight row for every pixel of ``bright``, two rows a pass."""
    width = drive.size
    e = 0
    while e + 2 <= bright.size:
        x, y = image[bright[e]], image[bright[e + 1]]
        a, b = w[offset + bright[e] * row :][:width], w[offset + bright[e + 1] * row :][:width]
        for k in range(width):
            drive[k] += x * a[k] + y * b[k]
        e += 2
    if e < bright.size:
        x, a = image[bright[e]], w[offset + bright[e] * row :][:width]
        for k in range(width):
            drive[k] += x * a[k]


@inline
def nudge(total, given, rates, label, beta, target_rate):
    """Set ``total`` to ``given`` and the nudging current beta (y - r) of the outputs.

    r are their rates, y the target rate for the label, else 0.
    """
    for k in range(total.size):
        total[k] = given[k] - beta * rates[k]
    total[label] += beta * target_rate

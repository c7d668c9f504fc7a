"""Leaky integrate-and-fire neurons on a clock, and the delivery of their spikes as events."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline


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
def decay_into(total, current, decay):
    """Add a channel's current to the summed input of its layer and let it decay by one tick."""
    for k in range(current.size):
        total[k] += current[k]
        current[k] *= decay


@inline
def integrate_and_fire(v, total, spikes, keep, threshold, low, high, rest, hard):
    """Advance a layer by a tick: V <- (1 - leak) V + I, spike where V >= threshold, reset, clamp to [low, high].

    Returns how many potentials the clamp cut.
    """
    cut = np.int32(0)
    for i in range(v.size):
        u = keep * v[i] + total[i]
        fired = u >= threshold
        after = rest if hard else u - threshold
        u = after if fired else u
        spikes[i] = fired
        held = min(max(u, low), high)
        cut += np.int32(held != u)
        v[i] = held
    return cut


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


@inline
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
def add_pixels(w, drive, image, offset, row):
    """Add pixel times weight row for every pixel that is not zero; return how many there were."""
    bright = 0
    for pixel in range(image.size):
        x = image[pixel]
        if x != 0:
            bright += 1
            a = w[offset + pixel * row :][: drive.size]
            for k in range(drive.size):
                drive[k] += x * a[k]
    return bright


@inline
def nudge(total, rates, label, beta, target_rate):
    """Add the nudging current beta (y - r) to the outputs: r their rates, y the target rate for the label, else 0."""
    for k in range(total.size):
        total[k] -= beta * rates[k]
    total[label] += beta * target_rate

"""Input spike trains as events: the cost grows with spikes, not with time.

An encoder writes the spikes of one presentation as neuron ids ordered by (step, neuron), with ``starts[t]:starts[t+1]``
the slice of step t.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline
from eqspike.kernels.philox import uniforms

STATIC, REGULAR, POISSON = 0, 1, 2


@inline
def regular_times(pixel, rate, phase, steps, times):
    """Write the steps floor((k - phase) / rate), k = 1, 2, ..., below ``steps``; return how many. 0 < phase <= 1."""
    count = 0
    interval = 1.0 / rate
    step = int((1.0 - phase) * interval)
    while step < steps:
        times[count] = step
        count += 1
        step = int((count + 1.0 - phase) * interval)
    return count


@inline
def poisson_times(pixel, rate, steps, times, seed, purpose, index):
    """Write the steps of a Bernoulli train of probability ``rate`` a step (geometric gaps); return how many."""
    count = 0
    if rate >= 1.0:
        for step in range(steps):
            times[step] = step
        return steps
    scale = 1.0 / np.log1p(-rate)
    step, draw = -1, 0
    while True:
        draws = uniforms(seed, purpose + (draw << 8), index, pixel)
        for u in draws:
            gap = np.log(u) * scale
            if gap >= steps - step - 1:
                return count
            step += 1 + int(gap)
            times[count] = step
            count += 1
        draw += 1


@inline
def encode(image, kind, max_rate, steps, seed, purpose, index, starts, ids, scratch):
    """Fill ``starts`` (steps + 1,) and ``ids`` with the spikes of ``image``; return their number.

    ``scratch`` is (2, capacity) of the same integer type as ``ids``; capacity n_pixels * steps always suffices.
    """
    for t in range(steps + 1):
        starts[t] = 0
    total = 0
    phases = (0.0, 0.0, 0.0, 0.0)
    block = -1
    for pixel in range(image.shape[0]):
        rate = min(max_rate * np.float64(image[pixel]), 1.0)
        if rate <= 0.0:
            continue
        if kind == REGULAR:
            if pixel >> 2 != block:
                block = pixel >> 2
                phases = uniforms(seed, purpose, index, block)
            count = regular_times(pixel, rate, phases[pixel & 3], steps, scratch[0, total:])
        else:
            count = poisson_times(pixel, rate, steps, scratch[0, total:], seed, purpose, index)
        for k in range(total, total + count):
            scratch[1, k] = pixel
            starts[scratch[0, k] + 1] += 1
        total += count
    for t in range(steps):
        starts[t + 1] += starts[t]
    for k in range(total):  # pixels come in order, so each step's ids do too
        step = scratch[0, k]
        ids[starts[step]] = scratch[1, k]
        starts[step] += 1
    for t in range(steps, 0, -1):
        starts[t] = starts[t - 1]
    starts[0] = 0
    return total

"""Neurons in continuous time, in closed form: where V is, when it crosses the threshold, what an arrival does."""

from __future__ import annotations

from math import exp, log1p

from eqspike.core.jit import inline
from eqspike.kernels.event_queue import put, take
from eqspike.kernels.exact_layout import DECAY, LEVEL, REFRACTORY, RESET_TO, SINCE, THRESHOLD, V


@inline
def flow(v, gap, decay, level):
    """Return the potential after ``gap`` without events: level + (v - level) exp(-decay gap), or v + level gap."""
    if decay > 0:
        return level + (v - level) * exp(-decay * gap)
    return v + level * gap


@inline
def fires_alone(decay, level, threshold):
    """Return whether the potential reaches the threshold without arrivals."""
    return level > (threshold if decay > 0 else 0.0)


@inline
def wait(v, decay, level, threshold):
    """Return how long a neuron that fires alone takes from ``v`` below the threshold up to it."""
    if decay > 0:
        return log1p((threshold - v) / (level - threshold)) / decay
    return (threshold - v) / level


@inline
def receive(potential, crossings, constants, n, weight, time):
    """Add ``weight`` to the potential of neuron ``n`` and predict its next crossing.

    Returns whether it was evaluated: while a neuron is refractory what arrives is lost.
    """
    since = potential[n, SINCE]
    if time < since:
        return False
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    before = flow(potential[n, V], time - since, decay, level)
    after = before + weight
    potential[n, V] = after
    potential[n, SINCE] = time
    if after >= threshold:
        put(crossings, n, time)
    elif fires_alone(decay, level, threshold):
        put(crossings, n, time + wait(after, decay, level, threshold))
    elif before >= threshold:  # lifted and lowered again within this moment
        take(crossings, n)
    return True


@inline
def fire(potential, crossings, constants, n, hard, time):
    """Reset neuron ``n``, which crosses its threshold, and predict its next crossing."""
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    if hard:
        after, since = constants[RESET_TO], time + constants[REFRACTORY]
    else:
        v = threshold if time > potential[n, SINCE] else max(potential[n, V], threshold)
        after, since = v - (threshold - constants[RESET_TO]), time
    potential[n, V] = after
    potential[n, SINCE] = since
    if after >= threshold:
        put(crossings, n, since)
    elif fires_alone(decay, level, threshold):
        put(crossings, n, since + wait(after, decay, level, threshold))
    else:
        take(crossings, n)


@inline
def expect(potential, crossings, constants, first, last):
    """Predict the first crossings of neurons ``first`` to ``last``."""
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    for n in range(first, last):
        if potential[n, V] >= threshold:
            put(crossings, n, potential[n, SINCE])
        elif fires_alone(decay, level, threshold):
            put(crossings, n, potential[n, SINCE] + wait(potential[n, V], decay, level, threshold))

"""Neurons in continuous time, in closed form: where V is, when it crosses the threshold, what an arrival does."""

from __future__ import annotations

from math import exp, inf, log1p

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
def next_crossing(v, since, decay, level, threshold):
    """Return when a neuron whose potential is ``v`` at ``since`` reaches its threshold if nothing arrives."""
    if v >= threshold:
        return since
    if decay > 0:
        return since + log1p((threshold - v) / (level - threshold)) / decay if level > threshold else inf
    return since + (threshold - v) / level if level > 0 else inf


@inline
def receive(potential, crossings, constants, n, weight, time):
    """Add ``weight`` to the potential of neuron ``n``, which may bring its next crossing forward.

    Returns whether it was evaluated: while a neuron is refractory what arrives is lost. A crossing put off is left in
    the heap, to be seen by :func:`put_off` when its time comes: inhibition costs no search.
    """
    since = potential[n, SINCE]
    if time < since:
        return False
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    v = flow(potential[n, V], time - since, decay, level) + weight
    potential[n, V] = v
    potential[n, SINCE] = time
    if weight > 0 and (v >= threshold or level > (threshold if decay > 0 else 0.0)):
        crossing = next_crossing(v, time, decay, level, threshold)
        if crossings.place[n] < 0 or crossing < crossings.key[n]:
            put(crossings, n, crossing)
    return True


@inline
def put_off(potential, crossings, constants, n):
    """Return whether the crossing of neuron ``n`` lies later than the heap has it, and correct the heap."""
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    crossing = next_crossing(potential[n, V], potential[n, SINCE], decay, level, threshold)
    if crossing <= crossings.key[n]:
        return False
    enter(crossings, n, crossing)
    return True


@inline
def enter(crossings, n, crossing):
    """Have neuron ``n`` in the heap if it crosses its threshold at all."""
    if crossing < inf:
        put(crossings, n, crossing)
    elif crossings.place[n] >= 0:
        take(crossings, n)


@inline
def fire(potential, crossings, constants, n, hard, time):
    """Reset neuron ``n``, which crosses its threshold, and predict its next crossing."""
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    if hard:
        v, since = constants[RESET_TO], time + constants[REFRACTORY]
    else:
        lifted = threshold if time > potential[n, SINCE] else max(potential[n, V], threshold)
        v, since = lifted - (threshold - constants[RESET_TO]), time
    potential[n, V] = v
    potential[n, SINCE] = since
    enter(crossings, n, next_crossing(v, since, decay, level, threshold))


@inline
def expect(potential, crossings, constants, first, last):
    """Predict the first crossings of neurons ``first`` to ``last``."""
    decay, level, threshold = constants[DECAY], constants[LEVEL], constants[THRESHOLD]
    for n in range(first, last):
        enter(crossings, n, next_crossing(potential[n, V], potential[n, SINCE], decay, level, threshold))

"""Input events in continuous time: listed spikes, and Poisson processes superposed over a layer.

The events of n processes of one rate are one process of n times that rate, each event at a neuron drawn uniformly.
Event number k of a layer takes its gap and its neuron from position ``layer`` of the stream (seed, purpose, k).
"""

from __future__ import annotations

from math import ceil, log

from eqspike.core.jit import inline, splice
from eqspike.core.rng import Purpose
from eqspike.kernels.event_queue import put, take
from eqspike.kernels.exact_layout import DRAWN, DRAWN_NEURON, END, EVENT, INPUT, POINTER, RATE, SIZE
from eqspike.kernels.philox import uniforms

SOURCES, BACKGROUND = int(Purpose.SOURCES), int(Purpose.BACKGROUND)
_WORD = 2.0**-32


@inline
def fine(high, low):
    """Return a number in (0, 1] of 53 bits from two of 32."""
    return (high - _WORD) + low * _WORD


@inline
def draw(seed, purpose, layer, number, n, rate):
    """Return the gap before event ``number`` of a layer and the neuron that it is at; ``rate`` is the whole layer's."""
    first, second, third, fourth = uniforms(seed, purpose, number, layer)
    return -log(fine(first, second)) / rate, ceil(fine(third, fourth) * n) - 1


@splice
def schedule(program, inputs, heap, item, seed, purpose, channel, layer, time):
    """Move ``item`` of ``heap`` to the next input event of ``layer``, the last being at ``time``; or take it out."""
    row = inputs.table[channel]
    if row[INPUT] == DRAWN:
        gap, neuron = draw(seed, purpose, layer, row[EVENT], program.layers[layer, SIZE], inputs.rates[channel, RATE])
        row[EVENT] += 1
        row[DRAWN_NEURON] = neuron
        put(heap, item, time + gap)
    elif row[POINTER] < row[END]:
        row[DRAWN_NEURON] = inputs.neurons[row[POINTER]]
        put(heap, item, inputs.times[row[POINTER]])
        row[POINTER] += 1
    elif heap.place[item] >= 0:
        take(heap, item)

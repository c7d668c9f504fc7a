"""The loop of a simulation in continuous time: always on to the next event.

The order of events: by time. The events of one moment come in rounds. First all spikes due are emitted, by layer and
neuron: of neurons at or above their threshold, and of inputs. Then all arrivals due are delivered, by projection and
order of emission, the events of Poisson backgrounds last and by layer; spikes of this round that travel without delay
are among them. A neuron that they leave at or above its threshold fires in the next round of the same moment. So
simultaneous arrivals add up before anyone fires, and what arrives in the very moment of a crossing does not undo it.

At an arrival every synapse transmits its weight; where it is plastic, the weight then changes by ``on_pre``; last, the
pre end's traces grow. At a spike the neuron is reset, the plastic synapses onto it change by ``on_post``, the post
end's traces grow, and the spike sets off. Rules read traces with all that earlier events did, those of the same moment
included: a spike that an arrival sets off follows it by no time at all, and pairs with it.
"""

from __future__ import annotations

from math import inf

from eqspike.core.jit import kernel, splice
from eqspike.kernels.event_queue import COUNT, drop_first, first_arrival, is_full, next_time, put, send, take
from eqspike.kernels.exact_inputs import BACKGROUND, SOURCES, schedule
from eqspike.kernels.exact_layout import (
    CONVOLUTION,
    DELAY,
    DELIVERING,
    DENSE,
    DEPTH,
    DONE,
    DRAWN_NEURON,
    EMITTING,
    HARD,
    KIND,
    LOG_FULL,
    LOGGED,
    MAPS,
    MOST,
    NARROW,
    NEURONS,
    NOT_FINITE,
    ONE_TO_ONE,
    OUT,
    OUT_END,
    OUT_HEIGHT,
    OUT_WIDTH,
    OWN_DELAY,
    PADDING,
    PAUSED,
    PHASE,
    PLASTIC,
    POST,
    POST_TRACES,
    PRE,
    PRE_TRACES,
    QUEUE_FULL,
    RUNAWAY,
    SIDE,
    SIZE,
    START,
    STARTS,
    TARGETS,
    WEIGHT,
    WEIGHTS,
    WHERE,
    WIDTH,
    WIRING,
    V,
)
from eqspike.kernels.exact_learning import change, decay_to, grow, learn_from_spike
from eqspike.kernels.exact_neurons import expect, fire, put_off, receive
from eqspike.kernels.layout import EVENTS_FORWARD, NEURON_UPDATES, SPIKES, TRACE_UPDATES
from eqspike.kernels.rules import on_pre

WINDOW = 0.01  # seconds over which a layer's spikes are counted, to see a runaway


@splice
def row_of(program, row, i):
    """Return the number of the first synapse of pre neuron ``i`` within its projection, and how many follow it."""
    if row[WIRING] == DENSE:
        n = program.layers[row[POST], SIZE]
        return i * n, n
    if row[WIRING] == ONE_TO_ONE:
        return i, 1
    if row[WIRING] == CONVOLUTION:
        return 0, row[SIDE] * row[SIDE] * row[MAPS]
    first = program.starts[row[STARTS] + i]
    return first, program.starts[row[STARTS] + i + 1] - first


@splice
def synapse(program, row, i, first, k):
    """Return the post neuron of synapse ``k`` of pre neuron ``i``, -1 where there is none, and its weight's place."""
    if row[WIRING] == NARROW:
        return int(program.narrow[row[TARGETS] + first + k]), first + k
    if row[WIRING] == DENSE:
        return k, first + k
    if row[WIRING] == ONE_TO_ONE:
        return i, i
    if row[WIRING] == CONVOLUTION:
        depth, side, maps = row[DEPTH], row[SIDE], row[MAPS]
        a, b, out = k // (side * maps), k // maps % side, k % maps
        y, x = i // depth // row[WIDTH] + row[PADDING] - a, i // depth % row[WIDTH] + row[PADDING] - b
        inside = min(y, x) >= 0 and y < row[OUT_HEIGHT] and x < row[OUT_WIDTH]
        j = (y * row[OUT_WIDTH] + x) * maps + out if inside else -1
        return j, ((a * side + b) * depth + i % depth) * maps + out
    return int(program.wide[row[TARGETS] + first + k]), first + k


@splice
def deliver(program, state, traces, counts, parameters, p, i, time):
    """Deliver a spike of pre neuron ``i`` along projection ``p``; return whether all potentials stayed finite."""
    row, table = program.projections[p], counts.projections[p]
    post, plastic, common = row[POST], row[PLASTIC], row[WEIGHTS] < 0
    constants, start = program.neurons[post], program.layers[post, START]
    first, count = row_of(program, row, i)
    a, b = row[PRE_TRACES], row[POST_TRACES]
    pre_traces = traces.values[:, a : a + program.layers[row[PRE], SIZE]]
    post_traces = traces.values[:, b : b + program.layers[post, SIZE]]
    if plastic:
        decay_to(traces, a + i, time)
    reached, evaluated, finite = 0, 0, True
    for k in range(count):
        j, s = synapse(program, row, i, first, k)
        if j < 0:
            continue
        reached += 1
        at = 0 if common else row[WEIGHTS] + s
        weight = program.common[p] if common else float(state.weights[at])
        if receive(state.potential, state.crossings, constants, start + j, weight, time):
            evaluated += 1
            finite &= abs(state.potential[start + j, V]) < inf
        if plastic:
            decay_to(traces, b + j, time)
            asked = on_pre(parameters, weight, pre_traces, i, post_traces, j)
            change(state.weights, at, asked, traces.bounds, table)
    if plastic:
        grow(traces, a + i)
        counts.layers[row[PRE], TRACE_UPDATES] += traces.taus.size
        counts.layers[post, TRACE_UPDATES] += reached * traces.taus.size
    table[EVENTS_FORWARD] += reached
    counts.layers[post, NEURON_UPDATES] += evaluated
    return finite


@splice
def receive_background(program, state, inputs, counts, layer, channel, row, time):
    """Let a background event act on the neuron that it is at; return whether its potential stayed finite."""
    n = program.layers[layer, START] + inputs.table[channel, DRAWN_NEURON]
    weight = inputs.rates[channel, WEIGHT]
    counts.projections[row, EVENTS_FORWARD] += 1
    if receive(state.potential, state.crossings, program.neurons[layer], n, weight, time):
        counts.layers[layer, NEURON_UPDATES] += 1
    return abs(state.potential[n, V]) < inf


@splice
def layer_of(program, n):
    """Return the layer of neuron number ``n`` of all."""
    layer = 0
    while n >= program.layers[layer, START] + program.layers[layer, SIZE]:
        layer += 1
    return layer


@splice
def has_room(program, state, arrivals, log, layer):
    """Return DONE where a spike of ``layer`` fits into the log and all queues, else what is full."""
    code = LOG_FULL if state.marks[LOGGED] == log.times.size else DONE
    for link in range(program.layers[layer, OUT], program.layers[layer, OUT_END]):
        if is_full(arrivals, program.links[link]):
            state.marks[WHERE] = program.links[link]
            code = QUEUE_FULL
    return code


@splice
def set_off(program, state, arrivals, log, counts, layer, i, time):
    """Log a spike and send it along all projections; return whether its layer has spiked too often."""
    logged = state.marks[LOGGED]
    log.times[logged] = time
    log.neurons[logged] = program.layers[layer, START] + i
    state.marks[LOGGED] = logged + 1
    counts.layers[layer, SPIKES] += 1
    for link in range(program.layers[layer, OUT], program.layers[layer, OUT_END]):
        p = program.links[link]
        row = program.projections[p]
        send(arrivals, p, time + program.delays[row[DELAY] + i * row[OWN_DELAY]], i)
        if state.due.place[p] < 0 or row[OWN_DELAY]:
            put(state.due, p, arrivals.time[first_arrival(arrivals, p)])
    if time > state.window[layer] + WINDOW:
        state.window[layer] = time
        state.recent[layer] = 0
    state.recent[layer] += 1
    return state.recent[layer] > program.neurons[layer, MOST]


@splice
def advance_queue(program, state, arrivals, inputs, channel, seed, time):
    """After the delivery of its first, enter the next arrival of a queue, or event of a background."""
    projections, layers = program.projections.shape[0], program.layers.shape[0]
    if channel >= projections:
        layer = channel - projections
        schedule(program, inputs, state.due, channel, seed, BACKGROUND, layers + layer, layer, time)
        return
    drop_first(arrivals, channel)
    if arrivals.table[channel, COUNT] > 0:
        put(state.due, channel, arrivals.time[first_arrival(arrivals, channel)])
    else:
        take(state.due, channel)


def _proceed(program, state, traces, arrivals, inputs, counts, log, parameters, seed, end, most):
    """Process up to ``most`` events until time ``end``, which is included; return why it stopped.

    Before LOG_FULL and QUEUE_FULL (of queue marks[WHERE]) the event in question has not begun; after RUNAWAY and
    NOT_FINITE (of layer marks[WHERE]) it is over.
    """
    marks, projections = state.marks, program.projections.shape[0]
    for _ in range(most):
        crossing, source = next_time(state.crossings, inf), next_time(state.sources, inf)
        emission, arrival = min(crossing, source), next_time(state.due, inf)
        time = min(emission, arrival)
        if time > end or time == inf:
            return DONE
        if time > state.now[0]:
            marks[PHASE] = EMITTING
        if arrival == time and (emission > time or marks[PHASE] == DELIVERING):
            channel = state.due.items[0]
            if channel < projections:
                layer = program.projections[channel, POST]
                i = arrivals.neuron[first_arrival(arrivals, channel)]
                finite = deliver(program, state, traces, counts, parameters, channel, i, time)
            else:
                layer = channel - projections
                at = program.layers.shape[0] + layer
                finite = receive_background(program, state, inputs, counts, layer, at, channel, time)
            advance_queue(program, state, arrivals, inputs, channel, seed, time)
            state.now[0], marks[PHASE] = time, DELIVERING
            if not finite:
                marks[WHERE] = layer
                return NOT_FINITE
            continue
        layer = state.sources.items[0]
        if crossing < source or (crossing == source and state.crossings.items[0] < program.layers[layer, START]):
            n = state.crossings.items[0]
            layer = layer_of(program, n)
            if put_off(state.potential, state.crossings, program.neurons[layer], n):
                continue
        code = has_room(program, state, arrivals, log, layer)
        if code != DONE:
            return code
        if program.layers[layer, KIND] == NEURONS:
            n = state.crossings.items[0]
            i = n - program.layers[layer, START]
            fire(state.potential, state.crossings, program.neurons[layer], n, program.layers[layer, HARD], time)
            counts.layers[layer, NEURON_UPDATES] += 1
        else:
            i = inputs.table[layer, DRAWN_NEURON]
            schedule(program, inputs, state.sources, layer, seed, SOURCES, layer, layer, time)
        learn_from_spike(program, state, traces, counts, parameters, layer, i, time)
        runaway = set_off(program, state, arrivals, log, counts, layer, i, time)
        state.now[0], marks[PHASE] = time, EMITTING
        if runaway:
            marks[WHERE] = layer
            return RUNAWAY
    return PAUSED


def _begin(program, state, inputs, seed):
    """Predict the first crossing of every neuron and the first event of every input."""
    layers, projections = program.layers, program.projections.shape[0]
    for layer in range(layers.shape[0]):
        background = layers.shape[0] + layer
        schedule(program, inputs, state.sources, layer, seed, SOURCES, layer, layer, 0.0)
        schedule(program, inputs, state.due, projections + layer, seed, BACKGROUND, background, layer, 0.0)
        if layers[layer, KIND] == NEURONS:
            start, n = layers[layer, START], layers[layer, SIZE]
            expect(state.potential, state.crossings, program.neurons[layer], start, start + n)


def _list_sources(starts, targets, source_starts, sources):
    """Fill ``sources`` with the pre neurons of every post neuron, ascending.

    Those of neuron j begin at source_starts[j], which afterwards holds where they end.
    """
    for i in range(starts.size - 1):
        for s in range(starts[i], starts[i + 1]):
            j = targets[s]
            sources[source_starts[j]] = i
            source_starts[j] += 1


proceed = kernel(_proceed)
proceed_uncached = kernel(_proceed, cache=False)  # for rules whose classes another process cannot find
begin = kernel(_begin)
list_sources = kernel(_list_sources)

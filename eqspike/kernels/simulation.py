"""The loop of a simulation in ticks.

Tick n: every neuron is integrated over (n, n + 1] ticks; those at the threshold spike and reset; spikes of tick n - D
arrive along projections with a delay of D ticks, background events too; arrivals and then this tick's spikes change
plastic synapses, with traces as they stood before the tick; last, traces move.
"""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import kernel, splice, trailing_zeros
from eqspike.kernels.delivery import deliver
from eqspike.kernels.membranes import adapt, adapt_at_spikes, advance, fire, in_one_pass, inflow, leak, limit
from eqspike.kernels.poisson import poisson_counts
from eqspike.kernels.simulation_layout import (
    ADAPT_STEP,
    CHANNEL,
    CHANNEL_LAYER,
    CHANNEL_START,
    DELAYS,
    DONE,
    DRAWN,
    DRIVEN,
    EVENTS,
    FIRST,
    FULL,
    GROUP,
    HARD,
    KIND,
    LANES,
    LAYER_SATURATIONS,
    LIST,
    LISTED,
    N_DELAYS,
    NEURONS,
    OWN_DELAYS,
    PLASTIC,
    POISSON,
    POST,
    PRE,
    REFRACTORY,
    SIZE,
    START,
    TRACES_READ,
    WEIGHT,
)
from eqspike.kernels.simulation_plasticity import bump_traces, decay_traces, learn_from_arrivals, learn_from_spikes


@splice
def integrate(program, state, counts, layer):
    """Advance the neurons of a layer by a tick, pass by pass; return how many spiked."""
    lo, n = program.layers[layer, START], program.layers[layer, SIZE]
    v, spikes = state.v[lo : lo + n], state.spikes[lo : lo + n]
    leak(program, layer, v, program.constant[lo : lo + n])
    for c in range(program.channels.shape[0]):
        if program.channels[c, CHANNEL_LAYER] == layer:
            at = program.channels[c, CHANNEL_START]
            inflow(program, c, v, state.current[at : at + n])
    adapts = program.neurons[layer, ADAPT_STEP] != 0
    if adapts:
        adapt(program, layer, v, state.adaptation[lo : lo + n])
    counts.layers[layer, LAYER_SATURATIONS] += limit(program, v)
    hard, refractory = program.layers[layer, HARD], program.layers[layer, REFRACTORY]
    fired = fire(program, layer, v, state.pause[lo : lo + n], spikes, hard, refractory)
    if adapts and fired > 0:
        adapt_at_spikes(program, layer, state.adaptation[lo : lo + n], spikes)
    return fired


@splice
def channels_of(program, layer):
    """Return the first two channels onto a layer, -1 where there are none, and how many there are."""
    first, second, found = -1, -1, 0
    for c in range(program.channels.shape[0]):
        if program.channels[c, CHANNEL_LAYER] == layer:
            first, second = (c, -1) if found == 0 else (first, c)
            found += 1
    return first, second, found


@splice
def integrate_at_once(program, state, layer, first, second, ids, at):
    """Advance the neurons of a layer by a tick in one pass, appending those that spike to ``ids``; return the end."""
    lo = program.layers[layer, START]
    hi = lo + (program.layers[layer, SIZE] + LANES - 1) // LANES * LANES
    if hi == lo:
        return at
    one = state.current[program.channels[first, CHANNEL_START] :] if first >= 0 else state.current[:0]
    two = state.current[program.channels[second, CHANNEL_START] :] if second >= 0 else state.current[:0]
    constant = program.constant[lo]  # the same for all neurons of a layer
    channels, v, pause = (first, second), state.v[lo:hi], state.pause[lo:hi]
    return advance(program, layer, channels, v, constant, pause, one, two, ids, at)


@splice
def list_spikes(words, first, ids, at):
    """Append the numbers of the neurons whose byte in ``words`` is set, by walking the set bytes; return the end."""
    for k in range(words.size):
        word = words[k]
        while word != 0:
            ids[at] = first + 8 * k + (trailing_zeros(word) >> 3)
            at += 1
            word &= word - np.uint64(1)
    return at


@splice
def draw_sources(program, state, layer, seed, stream, tick, ids, at):
    """Append the spikes of a Poisson source layer in this tick; return the end."""
    n, tails = program.layers[layer, SIZE], program.tails[layer]
    for group in range((n + GROUP - 1) // GROUP):
        poisson_counts(
            tails, program.layers[layer, DRAWN], seed, stream + layer, tick, group, state.drawn, state.counted
        )
        for k in range(min(GROUP, n - group * GROUP)):
            for _ in range(state.counted[k]):
                ids[at] = group * GROUP + k
                at += 1
    return at


@splice
def add_background(program, state, layer, seed, stream, tick):
    """Add this tick's background events to the potentials, or a current, of a layer; return how many there were."""
    lo, n, tails = program.layers[layer, START], program.layers[layer, SIZE], program.tails[layer]
    driven = program.layers[layer, DRIVEN]
    if driven >= 0:
        lo = program.channels[driven, CHANNEL_START]
    target = state.v if driven < 0 else state.current
    weight, events = program.neurons[layer, WEIGHT], 0
    before = program.layers[layer, FIRST] // GROUP
    for group in range((n + GROUP - 1) // GROUP):
        poisson_counts(
            tails, program.layers[layer, DRAWN], seed, stream + layer, tick, before + group, state.drawn, state.counted
        )
        width = min(GROUP, n - group * GROUP)
        out = target[lo + group * GROUP : lo + group * GROUP + width]
        arrived = np.int32(0)
        for k in range(width):
            out[k] += weight * state.counted[k]
            arrived += state.counted[k]
        events += arrived
    return events


@splice
def arrived(program, log, row, d, past, scratch):
    """Return the pre neurons whose spikes arrive now after a delay of number ``d``; ``past`` is this tick's row."""
    r = past - program.delays[d]
    if r < 0:
        return scratch[:0]
    ids = log.ids[log.starts[r, row[PRE]] : log.starts[r, row[PRE] + 1]]
    if row[OWN_DELAYS] < 0:
        return ids
    found = 0
    for i in ids:  # each pre neuron has a delay of its own: keep those whose time has come
        if program.own_delays[row[OWN_DELAYS] + i] == program.delays[d]:
            scratch[found] = i
            found += 1
    return scratch[:found]


@splice
def deliver_arrivals(program, state, counts, traces, parameters, log, past, p, chance, scratch):
    """Deliver what arrives along projection ``p`` in this tick, and let it learn from it."""
    row = program.projections[p]
    size, lo = program.layers[row[POST], SIZE], program.layers[row[POST], START]
    for d in range(row[DELAYS], row[DELAYS] + row[N_DELAYS]):
        ids = arrived(program, log, row, d, past, scratch)
        if ids.size == 0:
            continue
        if row[CHANNEL] < 0:
            counts.projections[p, EVENTS] += deliver(program, state.weights, row, state.v[lo:], ids, size)
        else:
            at = program.channels[row[CHANNEL], CHANNEL_START]
            counts.projections[p, EVENTS] += deliver(program, state.weights, row, state.current[at:], ids, size)
        if row[PLASTIC] >= 0:
            table = counts.projections[p]
            looked = learn_from_arrivals(program, p, state.weights, traces, ids, parameters, chance, table)
            counts.layers[row[POST], TRACES_READ] += looked


@splice
def learn_and_trace(program, state, counts, traces, parameters, log, spiked, past, p, chance, scratch):
    """Let this tick's post spikes change projection ``p``, then move the traces of both its ends."""
    row = program.projections[p]
    first, before, after = program.layers[row[POST], FIRST], 2 * row[PLASTIC], 2 * row[PLASTIC] + 1
    table = counts.projections[p]
    looked = learn_from_spikes(program, p, state.weights, traces, spiked, parameters, chance, table)
    counts.layers[row[PRE], TRACES_READ] += looked
    decay_traces(program, traces.values[before], traces.keep)
    decay_traces(program, traces.values[after], traces.keep)
    for d in range(row[DELAYS], row[DELAYS] + row[N_DELAYS]):
        ids = arrived(program, log, row, d, past, scratch)
        bump_traces(program, traces.values[before], traces.keep, traces.nearest, ids, 0)
    bump_traces(program, traces.values[after], traces.keep, traces.nearest, spiked, first)


@splice
def spike_layers(program, state, counts, seed, streams, tick, own, mine, at):
    """Let every layer spike, appending to ``own``; return the end."""
    for layer in range(program.layers.shape[0]):
        own.starts[mine, layer] = at
        kind, lo = program.layers[layer, KIND], program.layers[layer, START]
        if kind == NEURONS:
            first, second, n_channels = channels_of(program, layer)
            if in_one_pass(program, layer, n_channels):
                at = integrate_at_once(program, state, layer, first, second, own.ids, at)
            elif integrate(program, state, counts, layer) > 0:
                words = state.words[lo >> 3 : (lo + program.layers[layer, SIZE] + 7) >> 3]
                at = list_spikes(words, program.layers[layer, FIRST], own.ids, at)
        elif kind == POISSON:
            at = draw_sources(program, state, layer, seed, streams[0], tick, own.ids, at)
        elif kind == LIST:
            listed = program.given_starts[program.layers[layer, LISTED]]
            for e in range(listed[tick], listed[tick + 1]):
                own.ids[at] = program.given[e]
                at += 1
    own.starts[mine, program.layers.shape[0]] = at
    return at


def run(program, state, counts, traces, parameters, log, own, rows, ticks, seed, streams, scratch):
    """Run ``ticks`` ticks; return (outcome, ticks done, end of ``own.ids``).

    ``rows`` is (tick, row of that tick in ``log``, row of it in ``own``, place in ``own.ids``). Spikes go to ``own``;
    ``log`` holds those of all parts up to the shortest delay ago. ``streams`` is (sources, background, rounding), the
    first random stream of each; ``scratch`` (n_ids,) int32 takes spikes picked by their delay and is what a tick needs.
    """
    tick, past, mine, at = rows
    for done in range(ticks):
        if own.ids.size - at < scratch.size:
            return FULL, done, at
        at = spike_layers(program, state, counts, seed, streams, tick, own, mine, at)
        for p in range(program.projections.shape[0]):
            chance = (seed, streams[2], tick)
            deliver_arrivals(program, state, counts, traces, parameters, log, past, p, chance, scratch)
        for layer in range(program.layers.shape[0]):
            if program.layers[layer, KIND] == NEURONS:
                if program.layers[layer, DRAWN] > 0:
                    events = add_background(program, state, layer, seed, streams[1], tick)
                    counts.projections[program.projections.shape[0] + layer, EVENTS] += events
                lo, n = program.layers[layer, START], program.layers[layer, SIZE]
                counts.layers[layer, LAYER_SATURATIONS] += limit(program, state.v[lo : lo + n])
        for p in range(program.projections.shape[0]):
            if program.projections[p, PLASTIC] >= 0:
                post = program.projections[p, POST]
                spiked = own.ids[own.starts[mine, post] : own.starts[mine, post + 1]]
                chance = (seed, streams[2], tick)
                learn_and_trace(program, state, counts, traces, parameters, log, spiked, past, p, chance, scratch)
        tick, past, mine = tick + 1, past + 1, mine + 1
    return DONE, ticks, at


# A user's rule is never cached: its class may stand for other functions in the next process.
run_cached = kernel(run)
run_uncached = kernel(run, cache=False)

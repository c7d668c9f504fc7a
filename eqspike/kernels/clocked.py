"""The clocked loop of one phase.

One tick: every LIF neuron integrates what arrived until the last tick and fires or not; the input events of the tick
join; each spike is delivered to every synapse of its neuron (it acts at the next tick); each spike triggers the
plasticity rule, which reads traces as they stood before this tick's spikes; last, traces advance.
"""

from __future__ import annotations

from eqspike.core.jit import splice
from eqspike.kernels.clocked_learning import fired_ids, learn_from_post, learn_from_pre, refresh
from eqspike.kernels.layout import (
    BACK_CHANNEL,
    BEFORE,
    CHANNEL,
    CHANNEL_LAYER,
    CHANNEL_START,
    CLAMPED,
    COLUMN,
    COUNT,
    DECAY,
    DRIVE,
    EVENTS_BACKWARD,
    EVENTS_FORWARD,
    FIRED,
    HARD,
    HIGH,
    INFLOW,
    KEEP,
    KIND,
    LANES,
    LIF,
    LOW,
    MAIN,
    NEURON_UPDATES,
    OFFSET,
    OWED,
    PADDED,
    PAUSE,
    PLAIN,
    PLASTIC,
    POST,
    PRE,
    REFRACTORY,
    RESET,
    REST,
    ROW,
    SIZE,
    SOURCE,
    SPIKES,
    STALE,
    START,
    STATIC,
    SUPPRESSED,
    THRESHOLD,
    TOTAL,
    TRACE_UPDATES,
    TRANSPOSED,
    V,
)
from eqspike.kernels.neurons import (
    add_into,
    copy_into,
    decay_into,
    deliver,
    deliver_narrow,
    fill,
    integrate_and_fire,
    integrate_with_pause,
    list_fired,
    nudge,
    total,
)
from eqspike.kernels.plasticity import (
    owe,
)
from eqspike.kernels.rules import advance


@splice
def sum_input(program, state, injected, t):
    """Sum drive, injected current and the channels that no layer reads by itself as it integrates."""
    layers, total = program.layers, state.neurons[TOTAL]
    copy_into(total, state.neurons[DRIVE])
    for c in range(program.channels.shape[0]):
        layer, at = program.channels[c, CHANNEL_LAYER], program.channels[c, CHANNEL_START]
        if layers[layer, MAIN] != c:
            lo, width = layers[layer, START], layers[layer, PADDED]
            decay_into(total[lo : lo + width], state.current[at : at + width], program.filters[c, DECAY])
    if t < injected.shape[0]:
        for layer in range(layers.shape[0]):
            lo, n = layers[layer, START], layers[layer, SIZE]
            add_into(total[lo : lo + n], injected[t, lo : lo + n])


@splice
def fire_layers(program, state, counts, phase, t, mark_sources, summed, nudged):
    """Let every layer spike: LIF layers from their summed input, source layers from the input events of the tick."""
    layers, neurons = program.layers, program.neurons
    for layer in range(1 if layers[0, KIND] == STATIC else 0, layers.shape[0]):
        lo, n, kind = layers[layer, START], layers[layer, SIZE], layers[layer, KIND]
        end = lo + layers[layer, PADDED]
        if kind == LIF:
            row = TOTAL if summed or (nudged and layer == layers.shape[0] - 1) else DRIVE
            v, total, fired = state.neurons[V, lo:end], state.neurons[row, lo:end], state.integers[FIRED, lo:end]
            spikes, count = state.spikes[lo:end], state.integers[COUNT, lo:end]
            keep, threshold, rest = neurons[layer, KEEP], neurons[layer, THRESHOLD], neurons[layer, REST]
            low, high, hard = neurons[layer, LOW], neurons[layer, HIGH], layers[layer, RESET] == HARD
            c = layers[layer, MAIN]
            if c >= 0:
                at, decay = program.channels[c, CHANNEL_START], program.filters[c, DECAY]
                current = state.current[at : at + end - lo]
                state.n_fired[layer], cut = integrate_and_fire(
                    v, total, current, decay, spikes, fired, count, keep, threshold, low, high, rest, hard
                )
            else:
                pause, ticks = state.integers[PAUSE, lo:end], layers[layer, REFRACTORY]
                cut = integrate_with_pause(v[:n], total, spikes, pause, keep, threshold, low, high, rest, hard, ticks)
                state.n_fired[layer] = list_fired(spikes[:n], fired, count)
            counts.layers[phase, layer, CLAMPED] += cut
        elif kind == SOURCE:
            count = state.integers[COUNT, lo:end]
            if mark_sources:
                fill(state.spikes[lo:end], 0)
            for e in range(state.starts[t], state.starts[t + 1]):
                count[state.ids[e]] += 1
                if mark_sources:
                    state.spikes[lo + state.ids[e]] = 1


@splice
def deliver_spikes(program, weights, state, t, learning):
    """Deliver this tick's spikes along every projection, forward and, where it is symmetric, backward."""
    layers, channels, filters = program.layers, program.channels, program.filters
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        pre, post = row[PRE], row[POST]
        c = row[CHANNEL]
        if c >= 0:
            ids, at = fired_ids(program, state, pre, t), channels[c, CHANNEL_START]
            current = state.current[at : at + layers[post, PADDED]]
            if row[ROW] == LANES:
                deliver_narrow(weights.w, current, ids, row[OFFSET], filters[c, INFLOW])
            else:
                deliver(weights.w, current, ids, row[OFFSET], row[ROW], filters[c, INFLOW])
        c = row[BACK_CHANNEL]
        if c >= 0:
            ids, at = fired_ids(program, state, post, t), channels[c, CHANNEL_START]
            if learning:
                for j in ids:
                    if state.stale[row[STALE] + j] != 0:
                        refresh(program, weights, state, p, j)
            current = state.current[at : at + layers[pre, PADDED]]
            if row[COLUMN] == LANES:
                deliver_narrow(weights.wt, current, ids, row[TRANSPOSED], filters[c, INFLOW])
            else:
                deliver(weights.wt, current, ids, row[TRANSPOSED], row[COLUMN], filters[c, INFLOW])


@splice
def record_tick(program, state, record, rate_trace, t):
    """Copy what the probes ask for at the end of a tick."""
    if t < record.raster.shape[0]:
        copy_into(record.raster[t], state.spikes)
    if t < record.potential.shape[0]:
        copy_into(record.potential[t], state.neurons[V])
    if t < record.rate.shape[0]:
        for layer in range(program.layers.shape[0]):
            lo, n = program.layers[layer, START], program.layers[layer, SIZE]
            copy_into(record.rate[t, lo : lo + n], state.traces[layer, rate_trace])


@splice
def count_phase(program, state, counts, phase, ticks, declared, sources_traced, traced, learning, nudged):
    """Enter what a phase did in every tick, and its spikes with the synapses that they reached: once, not each tick.

    Of the updates that spikes asked for, the ticks took off SUPPRESSED those that changed something.
    """
    layers, count = program.layers, state.integers[COUNT]
    out = layers.shape[0] - 1
    for layer in range(layers.shape[0]):
        lo, n, table = layers[layer, START], layers[layer, SIZE], counts.layers[phase, layer]
        is_lif = layers[layer, KIND] == LIF
        if layers[layer, KIND] != STATIC:
            table[SPIKES] += total(count[lo : lo + n])
            add_into(counts.spikes[phase, lo : lo + n], count[lo : lo + n])
        if is_lif:
            table[NEURON_UPDATES] += n * ticks
        reads = int(is_lif and learning) + int(layer == out and nudged)
        advances = declared if traced and (is_lif or (layers[layer, KIND] == SOURCE and sources_traced)) else 0
        table[TRACE_UPDATES] += n * ticks * (reads + advances)
    for p in range(program.projections.shape[0]):
        row, table = program.projections[p], counts.projections[phase, p]
        kind, n_pre, n_post = layers[row[PRE], KIND], layers[row[PRE], SIZE], layers[row[POST], SIZE]
        if kind == STATIC:
            continue
        lo, end = layers[row[PRE], START], layers[row[POST], START]
        forward = total(count[lo : lo + n_pre]) * n_post
        backward = total(count[end : end + n_post]) * n_pre
        if row[CHANNEL] >= 0:
            table[EVENTS_FORWARD] += forward
        if row[BACK_CHANNEL] >= 0:
            table[EVENTS_BACKWARD] += backward
        if learning and row[PLASTIC]:
            table[SUPPRESSED] += forward
            counts.layers[phase, row[POST], TRACE_UPDATES] += forward
            if kind == LIF or sources_traced:
                table[SUPPRESSED] += backward
                counts.layers[phase, row[PRE], TRACE_UPDATES] += backward
    counts.run[phase, 0] += ticks
    counts.run[phase, 1] += 1


@splice
def run_phase(
    program, weights, state, counts, phase, first_tick, ticks, readout_from, injected,
    parameters, traits, gains, traced, learning, label, beta, target_rate, record,
):  # fmt: skip
    """Run one phase of a presentation, its ticks numbered from ``first_tick`` of the presentation.

    ``traits`` is (rate_trace, declared_traces, sources_traced). Traces advance where ``traced``; weights and
    accumulators move where ``learning``. ``injected`` (ticks, N) is a current added at each tick, or empty.
    Afterwards row COUNT of the integers holds the spikes of the phase and BEFORE those before tick ``readout_from``.
    """
    rate_trace, declared, sources_traced = traits
    layers, neurons, integers, traces = program.layers, state.neurons, state.integers, state.traces
    n_layers = layers.shape[0]
    mark_sources = (traced and sources_traced) or record.raster.shape[0] > 0
    lo, n = layers[n_layers - 1, START], layers[n_layers - 1, SIZE]
    summed = injected.shape[0] > 0
    for layer in range(n_layers):
        summed = summed or (layers[layer, KIND] == LIF and not layers[layer, PLAIN])
    out_total, rates = neurons[TOTAL, lo : lo + n], traces[n_layers - 1, rate_trace]
    out_input = neurons[TOTAL if summed else DRIVE, lo : lo + n]
    fill(integers[COUNT], 0)
    fill(integers[BEFORE], 0)
    for t in range(first_tick, first_tick + ticks):
        if t - first_tick == readout_from:
            copy_into(integers[BEFORE], integers[COUNT])
        if summed:
            sum_input(program, state, injected, t)
        if beta != 0:
            nudge(out_total, out_input, rates, label, beta, target_rate)
        fire_layers(program, state, counts, phase, t, mark_sources, summed, beta != 0)
        deliver_spikes(program, weights, state, t, learning)
        if learning:
            for layer in range(n_layers):
                if layers[layer, KIND] == LIF:
                    lo, width = layers[layer, START], layers[layer, PADDED]
                    owe(parameters, neurons[OWED, lo : lo + width], traces[layer], beta - beta)
            for p in range(program.projections.shape[0]):
                kind = layers[program.projections[p, PRE], KIND]
                if program.projections[p, PLASTIC] and kind != STATIC:
                    learn_from_pre(program, weights, state, counts, phase, t, p, parameters, gains[p], record)
                    if kind == LIF or sources_traced:
                        learn_from_post(program, weights, state, counts, phase, t, p, parameters, gains[p], record)
        if traced:
            for layer in range(n_layers):
                if layers[layer, KIND] == LIF or (layers[layer, KIND] == SOURCE and sources_traced):
                    lo, width = layers[layer, START], layers[layer, PADDED]
                    advance(parameters, traces[layer], state.spikes[lo : lo + width], t)
        record_tick(program, state, record, rate_trace, t)
    if learning:
        for p in range(program.projections.shape[0]):
            for j in range(layers[program.projections[p, POST], SIZE]):
                if state.stale[program.projections[p, STALE] + j] != 0:
                    refresh(program, weights, state, p, j)
    count_phase(program, state, counts, phase, ticks, declared, sources_traced, traced, learning, beta != 0)

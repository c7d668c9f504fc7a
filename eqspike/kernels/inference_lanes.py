"""Inference of several images side by side, for static input and synapses without a time constant.

A tick of a small network is short beside what it costs to walk through layers and projections. Here a block of images
takes each tick together, layer by layer. Lanes stay neighbouring neurons of one image, so that a spike is still an
event that costs its own row of weights and no more. Every number is computed by the same operations in the same order
as in :mod:`eqspike.kernels.clocked`: answers, spikes and counts are equal to the last bit, in 32 bits too.
"""

from __future__ import annotations

from eqspike.core.jit import apart, kernel, splice
from eqspike.core.lanes import append, at_least, at_most, below, filled, load, select, store, sum_lanes, tally
from eqspike.kernels.clocked import count_phase
from eqspike.kernels.layout import (
    BACK_CHANNEL,
    CHANNEL,
    CLAMPED,
    COLUMN,
    COUNT,
    DRIVE,
    HARD,
    HIGH,
    INFERENCE,
    INFLOW,
    KEEP,
    KIND,
    LANES,
    LOW,
    MACS_FORWARD,
    OFFSET,
    PADDED,
    POST,
    PRE,
    RESET,
    REST,
    ROW,
    SIZE,
    START,
    STATIC,
    THRESHOLD,
    TRANSPOSED,
)
from eqspike.kernels.neurons import add_pixels, copy_into, deliver, fill, list_bright


@apart
def fire_together(
    v, drive, arrived, events, n_fired, votes, count, stride, keep, threshold, low, high, rest, hard, voting
):  # fmt: skip
    """Advance a layer of several images by a tick: V <- (1 - leak) V + I, spike, reset, clamp to [low, high].

    Images follow each other in ``v``, ``drive`` and ``arrived`` at ``stride``, in ``events``, the ids of those that
    fired, with the room of a layer and lanes more, in ``votes``, which counts where ``voting``, with that of a layer.
    ``count`` counts by neuron over all images. Returns how many potentials the clamp cut.
    """
    cut, nothing, room = filled(count.dtype.type(0)), filled(v.dtype.type(0)), count.size + LANES
    for i in range(n_fired.size):
        n_fired[i] = 0
    for at in range(0, count.size, LANES):
        fired = load(count, at)
        for i in range(n_fired.size):
            place, found = i * stride + at, n_fired[i]
            u = load(v, place) * keep + (load(drive, place) + load(arrived, place))
            store(arrived, place, nothing)
            fires = u >= threshold
            u = select(fires, rest, u) if hard else select(fires, u - threshold, u)
            held = at_most(at_least(u, low), high)
            store(v, place, held)
            append(events, i * room + found, at, fires)
            n_fired[i] = found + tally(fires)
            if voting:
                store(votes, i * count.size + at, load(votes, i * count.size + at) + fires)
            fired = fired + fires
            cut = cut + (held != u)
        store(count, at, fired)
    return sum_lanes(cut)


@apart
def deliver_steadily(w, current, ids, n, offset, scale):
    """Deliver as :func:`eqspike.kernels.neurons.deliver_narrow` the first ``n`` of ``ids``; no branch on an odd one."""
    even, odd = load(current, 0), load(current, 0) * 0
    e = 0
    while e + 2 <= n:
        even = even + load(w, offset + ids[e] * LANES) * scale
        odd = odd + load(w, offset + ids[e + 1] * LANES) * scale
        e += 2
    left = n - e
    last = load(w, offset + ids[e] * left * LANES) * scale
    even = even + select(below(left * LANES), last, last * 0)
    store(current, 0, even + odd)


@splice
def begin_together(program, weights, state, block, counts, images, first, n):
    """Put the neurons of ``n`` images at rest and set their constant drives."""
    base, stride, drive = program.layers[1, START], block.v.size // block.n_fired.shape[1], state.neurons[DRIVE]
    fill(block.v, 0)
    fill(block.arrived, 0)
    fill(block.votes, 0)
    for i in range(n):
        image = images[first + i]
        copy_into(drive, weights.bias)
        bright = state.ids[: list_bright(image, state.ids)]
        for p in range(program.projections.shape[0]):
            row = program.projections[p]
            if program.layers[row[PRE], KIND] == STATIC:
                at, width = program.layers[row[POST], START], program.layers[row[POST], PADDED]
                add_pixels(weights.w, drive[at : at + width], image, bright, row[OFFSET], row[ROW])
                counts.projections[INFERENCE, p, MACS_FORWARD] += bright.size * program.layers[row[POST], SIZE]
        copy_into(block.drive[i * stride : i * stride + drive.size - base], drive[base:])


@splice
def deliver_events(w, block, n, sender, start, width, offset, scale):
    """Add the rows of ``w`` of the neurons of layer ``sender`` that fired to what arrives at neuron ``start`` on."""
    stride, events = block.v.size // block.n_fired.shape[1], block.events[sender]
    room = block.rooms[sender]
    if width == LANES:
        for i in range(n):
            ids, at = events[i * room : i * room + room], i * stride + start
            deliver_steadily(w, block.arrived[at : at + width], ids, block.n_fired[sender, i], offset, scale)
    else:
        for i in range(n):
            ids, at = events[i * room : i * room + block.n_fired[sender, i]], i * stride + start
            deliver(w, block.arrived[at : at + width], ids, offset, width, scale)


@splice
def tick_together(program, weights, state, block, counts, n, voting):
    """Let the layers of ``n`` images fire, then deliver their spikes, which act at the next tick."""
    layers, neurons, filters, base = program.layers, program.neurons, program.filters, program.layers[1, START]
    stride = block.v.size // block.n_fired.shape[1]
    for layer in range(1, layers.shape[0]):
        lo, width = layers[layer, START], layers[layer, PADDED]
        counts.layers[INFERENCE, layer, CLAMPED] += fire_together(
            block.v[lo - base :], block.drive[lo - base :], block.arrived[lo - base :], block.events[layer],
            block.n_fired[layer, :n], block.votes, state.integers[COUNT, lo : lo + width], stride,
            neurons[layer, KEEP], neurons[layer, THRESHOLD], neurons[layer, LOW], neurons[layer, HIGH],
            neurons[layer, REST], layers[layer, RESET] == HARD, voting and layer == layers.shape[0] - 1,
        )  # fmt: skip
    for p in range(program.projections.shape[0]):
        row = program.projections[p]
        pre, post, c, back = row[PRE], row[POST], row[CHANNEL], row[BACK_CHANNEL]
        if c >= 0:
            start = layers[post, START] - base
            deliver_events(weights.w, block, n, pre, start, row[ROW], row[OFFSET], filters[c, INFLOW])
        if back >= 0:
            start = layers[pre, START] - base
            deliver_events(weights.wt, block, n, post, start, row[COLUMN], row[TRANSPOSED], filters[back, INFLOW])


@splice
def answer_of(program, block, i):
    """Return image ``i``'s class, as :func:`eqspike.kernels.presentations.answer` does."""
    out, stride = program.layers[program.layers.shape[0] - 1], block.v.size // block.n_fired.shape[1]
    v = block.v[i * stride + out[START] - program.layers[1, START] :]
    votes, best = block.votes[i * out[PADDED] :], 0
    for k in range(1, out[SIZE]):
        if votes[k] > votes[best] or (votes[k] == votes[best] and v[k] > v[best]):
            best = k
    return best


@kernel
def infer_together(
    program, weights, state, block, counts, images, first, last, ticks, readout_from, answers
):  # fmt: skip
    """Present the images ``first`` to ``last``, as many at a time as ``block`` has room for; count as inference."""
    at_once = block.n_fired.shape[1]
    for s in range(first, last, at_once):
        n = min(at_once, last - s)
        fill(state.integers[COUNT], 0)
        begin_together(program, weights, state, block, counts, images, s, n)
        for t in range(ticks):
            tick_together(program, weights, state, block, counts, n, t >= readout_from)
        for i in range(n):
            answers[s + i] = answer_of(program, block, i)
        count_phase(program, state, counts, INFERENCE, ticks * n, 0, False, False, False, False)
        counts.run[INFERENCE, 1] += n - 1

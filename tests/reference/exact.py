"""The exact clock told slowly: every event found by looking at everything, synapses one by one, all spikes kept.

Traces are sums over the whole history of spikes, crossings follow from the textbook's logarithm, and the adjacency is a
list of pairs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil, exp, inf, log

import numpy as np

from eqspike.core.rng import Purpose
from eqspike.network.description import Network
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.substrates.spiking.wiring import wire
from reference.philox import uniforms


@dataclass
class Cell:
    """A neuron: V at ``since``; if that lies ahead it is refractory."""

    neuron: object
    layer: int
    number: int
    v: float
    since: float = 0.0

    @property
    def asymptote(self) -> float:
        return self.neuron.v_rest + self.neuron.drive

    def at(self, time: float) -> float:
        """Return the potential at ``time``."""
        if time <= self.since:
            return self.v
        if self.neuron.tau_membrane_s is None:
            return self.v + self.neuron.drive * (time - self.since)
        share = exp(-(time - self.since) / self.neuron.tau_membrane_s)
        return self.asymptote * (1 - share) + self.v * share

    def crossing(self) -> float:
        """Return when the neuron crosses its threshold if nothing arrives."""
        threshold = self.neuron.v_threshold
        if self.v >= threshold:
            return self.since
        if self.neuron.tau_membrane_s is None:
            drive = self.neuron.drive
            return self.since + (threshold - self.v) / drive if drive > 0 else inf
        if self.asymptote <= threshold:
            return inf
        way = (self.asymptote - self.v) / (self.asymptote - threshold)
        return self.since + self.neuron.tau_membrane_s * log(way)

    def fire(self, time: float) -> None:
        """Reset."""
        neuron = self.neuron
        lifted = self.v if time == self.since and self.v >= neuron.v_threshold else neuron.v_threshold
        self.v = neuron.v_reset if neuron.reset == "hard" else lifted - (neuron.v_threshold - neuron.v_reset)
        self.since = time + neuron.refractory_s


@dataclass
class Feed:
    """Input events of one layer: ``next`` is (time, neuron)."""

    size: int
    listed: list[tuple[float, int]] | None
    rate: float
    weight: float
    key: tuple[int, int, int]
    number: int = 0
    next: tuple[float, int] = (0.0, 0)

    def step(self) -> None:
        """Go on to the next event."""
        if self.listed is not None:
            self.next = self.listed[self.number] if self.number < len(self.listed) else (inf, 0)
        elif self.rate == 0:
            self.next = (inf, 0)
        else:
            seed, purpose, layer = self.key
            a, b, c, d = uniforms(seed, purpose, self.number, layer)
            gap, place = (a - 2**-32) + b * 2**-32, (c - 2**-32) + d * 2**-32
            self.next = (self.next[0] - log(gap) / (self.size * self.rate), ceil(place * self.size) - 1)
        self.number += 1


def pairs_of(network: Network, projection, wiring) -> list[tuple[int, int, int]]:
    """Return every synapse as (pre, post, place of its weight)."""
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    if wiring.kind == "dense":
        return [(i, j, i * post.size + j) for i in range(pre.size) for j in range(post.size)]
    if wiring.kind == "one-to-one":
        return [(i, i, i) for i in range(pre.size)]
    if wiring.kind == "sparse":
        rows = [(i, s) for i in range(pre.size) for s in range(wiring.starts[i], wiring.starts[i + 1])]
        return [(i, int(wiring.targets[s]), s) for i, s in rows]
    (height, width, depth), (tall, wide, maps) = pre.shape, post.shape
    side, padding = projection.kernel.size, projection.kernel.padding
    found = []
    for y, x, o in np.ndindex(tall, wide, maps):
        for a, b, c in np.ndindex(side, side, depth):
            down, right = y + a - padding, x + b - padding
            if 0 <= down < height and 0 <= right < width:
                place = np.ravel_multi_index((a, b, c, o), (side, side, depth, maps))
                found.append((int((down * width + right) * depth + c), int((y * wide + x) * maps + o), int(place)))
    return found


def trace(history: list[float], tau: float, nearest: bool, time: float) -> float:
    """Return the trace that past spikes have left at ``time``."""
    return sum(exp(-(time - then) / tau) for then in (history[-1:] if nearest else history))


@dataclass
class Pair:
    """Pair-based STDP on histories."""

    a_plus: float
    a_minus: float
    tau_plus: float
    tau_minus: float
    nearest: bool
    w_min: float = -inf
    w_max: float = inf
    traces = 2

    def on_pre(self, pre: list[float], post: list[float], time: float) -> float:
        return -self.a_minus * trace(post, self.tau_minus, self.nearest, time)

    def on_post(self, pre: list[float], post: list[float], time: float) -> float:
        return self.a_plus * trace(pre, self.tau_plus, self.nearest, time)


@dataclass
class Triplet:
    """Triplet STDP on histories: r1, r2 of pre spikes, o1, o2 of post spikes."""

    a2: tuple[float, float]
    a3: tuple[float, float]
    taus: tuple[float, float, float, float]
    nearest: bool
    w_min: float = -inf
    w_max: float = inf
    traces = 4

    def on_pre(self, pre: list[float], post: list[float], time: float) -> float:
        slow = trace(pre, self.taus[2], self.nearest, time)
        return -trace(post, self.taus[1], self.nearest, time) * (self.a2[1] + self.a3[1] * slow)

    def on_post(self, pre: list[float], post: list[float], time: float) -> float:
        slow = trace(post, self.taus[3], self.nearest, time)
        return trace(pre, self.taus[0], self.nearest, time) * (self.a2[0] + self.a3[0] * slow)


@dataclass
class Bundle:
    """One projection: its synapses, weights, delays and the histories of its ends."""

    pre: int
    post: int
    name: str
    synapses: list[tuple[int, int, int]]
    weights: list[float]
    delays: list[float]
    plastic: bool
    arrived: dict[int, list[float]] = field(default_factory=dict)
    spiked: dict[int, list[float]] = field(default_factory=dict)


class Twin:
    """A network on the exact clock, its spikes (time, layer, neuron) and counts by (row, counter)."""

    def __init__(self, network: Network, inputs: dict, *, seed: int, rule=None, initial=None, dtype=np.float32) -> None:
        self.network, self.rule, self.dtype = network, rule, dtype
        self.names = [layer.name for layer in network.layers]
        self.cells: dict[tuple[int, int], Cell] = {}
        self.sources: dict[int, Feed] = {}
        self.backgrounds: dict[int, Feed] = {}
        for number, layer in enumerate(network.layers):
            self._enter(number, layer, inputs.get(layer.name), seed, (initial or {}).get(layer.name))
        self.bundles = [self._bundle(p, index, seed) for index, p in enumerate(network.projections)]
        self.under_way: list[tuple[float, int, int, int]] = []  # time, projection, order of emission, pre neuron
        self.emitted = 0
        self.spikes: list[tuple[float, int, int]] = []
        self.counts: Counter = Counter()

    def _enter(self, number: int, layer, given, seed: int, potentials) -> None:
        if layer.kind == "lif":
            for k in range(layer.size):
                v = layer.neuron.v_rest if potentials is None else float(potentials[k])
                self.cells[number, k] = Cell(layer.neuron, number, k, v)
        if given is None:
            return
        purpose, feeds = (Purpose.SOURCES, self.sources) if layer.kind == "source" else (
            Purpose.BACKGROUND, self.backgrounds)  # fmt: skip
        listed = None
        if isinstance(given, SpikeList):
            listed = sorted(zip(map(float, given.times_s), map(int, given.neurons), strict=True))
        rate = given.rate_hz if isinstance(given, Poisson) else 0.0
        feeds[number] = Feed(layer.size, listed, rate, getattr(given, "weight", 0.0), (seed, purpose, number))
        feeds[number].step()

    def _bundle(self, p, index: int, seed: int) -> Bundle:
        plastic = p.plastic and self.rule is not None
        wiring = wire(self.network, p, index, seed, spread=True)
        given = wire(self.network, p, index, seed, spread=plastic)
        dtype = np.float64 if given.uniform and not plastic else self.dtype
        n_pre = self.network.layer(p.pre).size
        return Bundle(
            self.names.index(p.pre), self.names.index(p.post), p.name, pairs_of(self.network, p, wiring),
            [float(dtype(w)) for w in wiring.weights.reshape(-1)],
            [float(d) for d in np.broadcast_to(wiring.delays_s, n_pre)], plastic,
        )  # fmt: skip

    def run(self, end: float) -> None:
        """Go through all events up to ``end``."""
        while True:
            time = min(self._next_emission()[0], self._next_arrival())
            if time > end:
                return
            while self._next_emission()[0] == time or self._next_arrival() == time:
                while self._next_emission()[0] == time:
                    self._emit(time, *self._next_emission()[1:])
                self._deliver_all(time)

    def _next_emission(self) -> tuple[float, int, int]:
        waiting = [(cell.crossing(), *place) for place, cell in self.cells.items()]
        waiting += [(feed.next[0], number, feed.next[1]) for number, feed in self.sources.items()]
        return min(waiting, default=(inf, 0, 0))

    def _next_arrival(self) -> float:
        return min([time for time, *_ in self.under_way] + [feed.next[0] for feed in self.backgrounds.values()] + [inf])

    def _emit(self, time: float, layer: int, k: int) -> None:
        name = self.names[layer]
        self.spikes.append((time, layer, k))
        self.counts[name, "spikes"] += 1
        if layer in self.sources:
            self.sources[layer].step()
        else:
            self.cells[layer, k].fire(time)
            self.counts[name, "neuron_updates"] += 1
        for p, bundle in enumerate(self.bundles):
            if bundle.post == layer and bundle.plastic:
                self._learn_from_spike(bundle, k, time)
            if bundle.pre == layer:
                self.under_way.append((time + bundle.delays[k], p, self.emitted, k))
                self.emitted += 1

    def _deliver_all(self, time: float) -> None:
        due = sorted(arrival[1:] for arrival in self.under_way if arrival[0] == time)
        self.under_way = [arrival for arrival in self.under_way if arrival[0] != time]
        for p, _, i in due:
            self._deliver(self.bundles[p], i, time)
        for layer in sorted(self.backgrounds):
            feed = self.backgrounds[layer]
            while feed.next[0] == time:
                self.counts[f"poisson->{self.names[layer]}", "synaptic_events_forward"] += 1
                self._receive(self.cells[layer, feed.next[1]], feed.weight, time)
                feed.step()

    def _receive(self, cell: Cell, weight: float, time: float) -> None:
        if time < cell.since:
            return
        cell.v, cell.since = cell.at(time) + weight, time
        self.counts[self.names[cell.layer], "neuron_updates"] += 1

    def _deliver(self, bundle: Bundle, i: int, time: float) -> None:
        pre, post = self.names[bundle.pre], self.names[bundle.post]
        past = bundle.arrived.setdefault(i, [])
        for source, j, place in bundle.synapses:
            if source != i:
                continue
            self.counts[bundle.name, "synaptic_events_forward"] += 1
            self._receive(self.cells[bundle.post, j], bundle.weights[place], time)
            if bundle.plastic:
                asked = self.rule.on_pre(past, bundle.spiked.get(j, []), time)
                self._change(bundle, place, asked)
                self.counts[post, "trace_updates"] += self.rule.traces
        if bundle.plastic:
            self.counts[pre, "trace_updates"] += self.rule.traces
        past.append(time)

    def _learn_from_spike(self, bundle: Bundle, j: int, time: float) -> None:
        past = bundle.spiked.setdefault(j, [])
        for i, target, place in bundle.synapses:
            if target == j:
                self._change(bundle, place, self.rule.on_post(bundle.arrived.get(i, []), past, time))
                self.counts[self.names[bundle.pre], "trace_updates"] += self.rule.traces
        self.counts[self.names[bundle.post], "trace_updates"] += self.rule.traces
        past.append(time)

    def _change(self, bundle: Bundle, place: int, asked: float) -> None:
        before = bundle.weights[place]
        wanted = before + asked
        held = min(max(wanted, self.rule.w_min), self.rule.w_max)
        after = float(self.dtype(held))
        bundle.weights[place] = after
        self.counts[bundle.name, "saturations"] += held != wanted
        self.counts[bundle.name, "weight_writes" if after != before else "suppressed_updates"] += 1

    def potentials(self, time: float) -> dict[str, np.ndarray]:
        """Return the potentials at ``time``, by layer."""
        found: dict[str, list[float]] = {}
        for (layer, _), cell in sorted(self.cells.items()):
            found.setdefault(self.names[layer], []).append(cell.at(time))
        return {name: np.array(values) for name, values in found.items()}

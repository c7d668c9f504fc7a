"""Networks in ticks told slowly: a matrix exponential a tick, every synapse an object, every spike remembered.

Arrivals are noted where their spike is emitted, in a calendar from tick to list. Weight changes are sums over whole
spike histories. The ledger is counted where things happen, one at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.linalg import expm
from scipy.stats import poisson

from eqspike.core.rng import Purpose
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Input, Poisson, SpikeList
from eqspike.substrates.spiking.wiring import Wiring, wire
from reference.philox import philox4x32
from reference.spike_rules import rule_twin_of

WORD = 2**32


@dataclass
class Synapse:
    """One synapse with its weight; ``place`` is where the engine's array of weights has it."""

    pre: int
    post: int
    weight: float
    place: tuple


def synapses_of(network: Network, projection: Projection, wiring: Wiring, w: np.ndarray) -> list[Synapse]:
    """Return every synapse of a projection with its one of the stored weights ``w``, a convolution's by definition."""
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    if wiring.kind == "convolution":
        return _convolution(pre.shape, post.shape, projection.kernel, w)
    if wiring.kind == "dense":
        return [Synapse(i, j, w[i, j], (i, j)) for i in range(pre.size) for j in range(post.size)]
    if wiring.kind == "one-to-one":
        return [Synapse(i, i, w[i if w.size > 1 else 0], (i,)) for i in range(pre.size)]
    owners = [i for i in range(pre.size) for _ in range(wiring.starts[i], wiring.starts[i + 1])]
    return [
        Synapse(i, int(j), w[k if w.size > 1 else 0], (k,))
        for k, (i, j) in enumerate(zip(owners, wiring.targets, strict=True))
    ]


def _convolution(pre: tuple, post: tuple, kernel, w: np.ndarray) -> list[Synapse]:
    """out[y, x, m] = sum over a, b, c of w[a, b, c, m] in[y + a - padding, x + b - padding, c]."""
    found = []
    for y, x, m in np.ndindex(*post):
        for a, b, c, to in np.ndindex(*w.shape):
            above, left = y + a - kernel.padding, x + b - kernel.padding
            if to == m and 0 <= above < pre[0] and 0 <= left < pre[1]:
                source, target = np.ravel_multi_index((above, left, c), pre), np.ravel_multi_index((y, x, m), post)
                found.append(Synapse(int(source), int(target), w[a, b, c, m], (a, b, c, m)))
    return found


@lru_cache
def tail(count: int, mean: float) -> int:
    """Return 2^32 P(events > count), rounded down."""
    return int(poisson.sf(count, mean) * WORD)


def poisson_events(rate: float, tick: int, neuron: int, seed: int, purpose: Purpose, layer: int) -> int:
    """Return how many events a neuron has in a tick, by inversion of its own random word."""
    lane, word = neuron % 16, neuron % 64 // 16
    counter = (neuron // 64 * 16 + lane, tick % WORD, tick // WORD, (int(purpose) << 16) + layer)
    drawn, count = philox4x32(counter, (seed % WORD, seed // WORD))[word], 0
    while drawn < tail(count, rate):
        count += 1
    return count


@dataclass
class Neurons:
    """A layer of neurons: ``state`` has a row for V, each current, a and a constant one; ``resting`` ticks left."""

    layer: Layer
    state: np.ndarray
    step: np.ndarray
    resting: list[int]
    rows: dict[str, int] = field(default_factory=dict)


class Twin:
    """A network on the clock ``Clocked`` in double precision."""

    def __init__(
        self, network: Network, tick_s: float, inputs: Mapping[str, Input], *, seed: int, rule=None, initial=None
    ) -> None:
        self.network, self.tick_s, self.inputs, self.seed = network, tick_s, inputs, seed
        self.rule = None if rule is None else rule_twin_of(rule, tick_s)
        self.synapses, self.delays = [], []
        for number, p in enumerate(network.projections):
            wiring = wire(network, p, number, seed, spread=p.plastic)
            by_pre = defaultdict(list)
            for synapse in synapses_of(network, p, wiring, self.stored(p, wiring.weights)):
                by_pre[synapse.pre].append(synapse)
            self.synapses.append(by_pre)
            each = np.broadcast_to(tick_s if p.delay_s is None else wiring.delays_s, network.layer(p.pre).size)
            self.delays.append([max(1, round(delay / tick_s)) for delay in each])
        self.neurons = {layer.name: self.build(layer) for layer in network.layers if layer.kind == "lif"}
        for name, values in (initial or {}).items():
            self.neurons[name].state[0] = self.potential(self.neurons[name].layer, values)
        self.listed = {name: defaultdict(list) for name in inputs}
        for name, given in inputs.items():
            for t, i in zip(given.times_s, given.neurons, strict=True) if isinstance(given, SpikeList) else ():
                self.listed[name][max(0, round(t / tick_s) - 1)].append(int(i))
        self.calendar: dict[int, list] = defaultdict(list)
        self.arrivals = [defaultdict(list) for _ in network.projections]
        self.fired = {layer.name: [[] for _ in range(layer.size)] for layer in network.layers}
        self.spikes: dict[str, list[tuple[int, int]]] = {layer.name: [] for layer in network.layers}
        self.counts: Counter = Counter()
        self.tick = 0

    def stored(self, p: Projection, weights: np.ndarray) -> np.ndarray:
        return weights

    def potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        return values

    def build(self, layer: Layer) -> Neurons:
        """Return neurons at rest and the matrix that advances their linear system by a tick."""
        neuron = layer.neuron
        currents = [p for p in self.network.projections if p.post == layer.name and p.tau_synapse_s > 0]
        rows = {p.name: 1 + k for k, p in enumerate(currents)}
        one, a = 2 + len(currents), 1 + len(currents)
        flow = np.zeros((one + 1, one + 1))
        flow[0, 1:a], flow[0, a], flow[0, one] = 1, -1, neuron.drive
        if neuron.tau_membrane_s is not None:
            flow[0, 0], flow[0, one] = -1, neuron.drive + neuron.v_rest
            flow[0] /= neuron.tau_membrane_s
        for p in currents:
            flow[rows[p.name], rows[p.name]] = -1 / p.tau_synapse_s
        if neuron.tau_adaptation_s is not None:
            flow[a, a] = -1 / neuron.tau_adaptation_s
        state = np.zeros((one + 1, layer.size))
        state[0], state[one] = neuron.v_rest, 1
        return Neurons(layer, state, expm(flow * self.tick_s), [0] * layer.size, rows | {"a": a})

    def run(self, ticks: int) -> None:
        """Go on for ``ticks`` ticks."""
        for _ in range(ticks):
            now = {layer.name: self.spikes_of(number, layer) for number, layer in enumerate(self.network.layers)}
            for name, fired in now.items():
                self.spikes[name] += [(self.tick, i) for i in fired]
                self.counts[name, "spikes"] += len(fired)
            for number, p in enumerate(self.network.projections):
                for i in now[p.pre]:
                    self.calendar[self.tick + self.delays[number][i]].append((number, i))
            self.receive()
            self.learn_from_spikes(now)
            for name, fired in now.items():
                for i in fired:
                    self.fired[name][i].append(self.tick)
            self.tick += 1

    def spikes_of(self, number: int, layer: Layer) -> list[int]:
        """Return who fires in this tick, as often as it does."""
        given = self.inputs.get(layer.name)
        if layer.kind == "lif":
            group = self.neurons[layer.name]
            self.integrate(group)
            self.counts[layer.name, "neuron_updates"] += layer.size
            return [k for k in range(layer.size) if self.fires(group, k)]
        if isinstance(given, SpikeList):
            return sorted(self.listed[layer.name][self.tick])
        rate = given.rate_hz * self.tick_s
        counts = [poisson_events(rate, self.tick, i, self.seed, Purpose.SOURCES, number) for i in range(layer.size)]
        return [i for i, count in enumerate(counts) for _ in range(count)]

    def integrate(self, group: Neurons) -> None:
        group.state = group.step @ group.state

    def levels(self, layer: Layer) -> tuple[float, float, float]:
        """Return (threshold, reset, step of adaptation)."""
        return layer.neuron.v_threshold, layer.neuron.v_reset, layer.neuron.adaptation_step

    def fires(self, group: Neurons, k: int) -> bool:
        """Let one neuron rest, or fire and reset if it is at the threshold."""
        neuron, v = group.layer.neuron, group.state[0]
        threshold, reset, step = self.levels(group.layer)
        if group.resting[k] > 0:
            group.resting[k] -= 1
            v[k] = reset
            return False
        if v[k] < threshold:
            return False
        v[k] = reset if neuron.reset == "hard" else v[k] - (threshold - reset)
        group.state[group.rows["a"], k] += step
        group.resting[k] = round(neuron.refractory_s / self.tick_s)
        return True

    def receive(self) -> None:
        """Deliver what arrives in this tick, each projection's before it learns from it, then background events."""
        due = self.calendar.pop(self.tick, [])
        for number, p in enumerate(self.network.projections):
            mine = [i for which, i in due if which == number]
            for synapse in (synapse for i in mine for synapse in self.synapses[number][i]):
                self.counts[p.name, "synaptic_events_forward"] += 1
                self.reach(p, synapse.post, self.amount(number, synapse))
            if p.plastic and self.rule is not None:
                self.learn_from_arrivals(number, p, mine)
        for number, layer in enumerate(self.network.layers):
            given = self.inputs.get(layer.name)
            if layer.kind == "lif" and isinstance(given, Poisson):
                rate = given.rate_hz * self.tick_s
                for k in range(layer.size):
                    events = poisson_events(rate, self.tick, k, self.seed, Purpose.BACKGROUND, number)
                    self.counts[f"poisson->{layer.name}", "synaptic_events_forward"] += events
                    self.jump(layer.name, k, events * self.event(layer, given.weight))

    def amount(self, number: int, synapse: Synapse) -> float:
        return synapse.weight

    def event(self, layer: Layer, weight: float) -> float:
        return weight

    def reach(self, p: Projection, k: int, weight: float) -> None:
        group = self.neurons[p.post]
        if p.tau_synapse_s > 0:
            group.state[group.rows[p.name], k] += weight
        else:
            self.jump(p.post, k, weight)

    def jump(self, name: str, k: int, by: float) -> None:
        """Move a potential, unless the neuron rests."""
        if self.neurons[name].resting[k] == 0:
            self.neurons[name].state[0, k] += by

    def learn_from_arrivals(self, number: int, p: Projection, arrived: list[int]) -> None:
        for i in arrived:
            for synapse in self.synapses[number][i]:
                pre, post = self.arrivals[number][i], self.fired[p.post][synapse.post]
                self.change(p, synapse, self.rule.at_arrival(pre, post, self.tick))
                self.counts[p.post, "trace_updates"] += 1

    def learn_from_spikes(self, now: dict[str, list[int]]) -> None:
        """Let post spikes change weights; then note this tick's arrivals, which no change of this tick has seen."""
        for number, p in enumerate(self.network.projections):
            if not p.plastic or self.rule is None:
                continue
            for synapse in (synapse for row in self.synapses[number].values() for synapse in row):
                if synapse.post in now[p.post]:
                    pre, post = self.arrivals[number][synapse.pre], self.fired[p.post][synapse.post]
                    self.change(p, synapse, self.rule.at_spike(pre, post, self.tick))
                    self.counts[p.pre, "trace_updates"] += 1
            for end in (p.pre, p.post):
                self.counts[end, "trace_updates"] += self.rule.traces * self.network.layer(end).size
            for i in range(self.network.layer(p.pre).size):
                sent = [tick for tick in self.fired[p.pre][i] if tick + self.delays[number][i] == self.tick]
                self.arrivals[number][i] += [self.tick] * len(sent)

    def change(self, p: Projection, synapse: Synapse, by: float) -> None:
        before, wanted = synapse.weight, synapse.weight + by
        synapse.weight = min(max(wanted, self.rule.w_min), self.rule.w_max)
        self.counts[p.name, "saturations"] += synapse.weight != wanted
        self.counts[p.name, "weight_writes" if synapse.weight != before else "suppressed_updates"] += 1

    def weights(self, number: int, shape: tuple) -> np.ndarray:
        """Return the weights of a projection in the engine's shape."""
        found = np.full(shape, np.nan)
        for synapse in (synapse for row in self.synapses[number].values() for synapse in row):
            found[synapse.place if found.size > 1 else 0] = synapse.weight
        return found

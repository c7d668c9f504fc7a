"""The clocked engine told slowly: one neuron, one synapse, one tick after the other, every spike kept.

Synaptic currents are sums over all past spikes with the weights these spikes met; rules see whole spike histories. The
ledger is counted where things happen, one at a time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from eqspike.core.rng import Purpose
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.settings import Encoding, Phases
from reference.encoders import spike_trains
from reference.philox import uniforms


@dataclass
class Presentation:
    """What one presentation did: spikes, potentials and rates (ticks, n) per layer; updates asked for; the answer."""

    spikes: dict[str, list] = field(default_factory=dict)
    potentials: dict[str, list] = field(default_factory=dict)
    rates: dict[str, list] = field(default_factory=dict)
    updates: list[tuple] = field(default_factory=list)
    answer: int = -1


def bounded(value: float, low: float | None, high: float | None) -> float:
    """Return ``value`` held within the bounds there are."""
    if low is not None and value < low:
        return low
    return high if high is not None and value > high else value


class Twin:
    """A network with its weights (n_pre, n_post), biases and counts by (phase, row, counter)."""

    def __init__(
        self, network: Network, rule, phases: Phases, encoding: Encoding, *, seed: int, beta: float,
        random_sign: bool, target_rate: float,
    ) -> None:  # fmt: skip
        self.network, self.rule, self.phases, self.encoding = network, rule, phases, encoding
        self.seed, self.beta, self.random_sign, self.target_rate = seed, beta, random_sign, target_rate
        self.lif = [layer for layer in network.layers if layer.kind == "lif"]
        self.size = {layer.name: layer.size for layer in network.layers}
        self.kind = {layer.name: layer.kind for layer in network.layers}
        self.weights: dict[str, np.ndarray] = {}
        self.biases: dict[str, np.ndarray] = {}
        self.counts: Counter = Counter()

    def adopt(self, weights: dict, biases: dict) -> None:
        """Take over weights and biases in double precision."""
        self.weights = {name: np.array(values, np.float64) for name, values in weights.items()}
        self.biases = {name: np.array(values, np.float64) for name, values in biases.items()}

    def present(self, image, label: int | None, index: int, *, scale: float = 1.0, injected=None) -> Presentation:
        """Present ``image``; learn if there is a ``label``. ``injected`` holds currents (ticks, n) by layer."""
        learns = label is not None
        free = self.phases.free_ticks
        ticks = free + (self.phases.nudged_ticks if learns else 0)
        self._begin(image, index, ticks, scale)
        for t in range(ticks):
            self.phase = ("nudged" if t >= free else "free") if learns else "inference"
            if t == free:
                self.out.answer = self._answer(free)
            past = {name: np.array(spikes).reshape(t, self.size[name]) for name, spikes in self.out.spikes.items()}
            read = {name: self.rule.read(spikes) for name, spikes in past.items()} if learns else {}
            self._fire(t, label, injected, past, read)
            self._deliver(t)
            if learns and (self.phase == "nudged" or not self.rule.contrastive):
                self._learn(t, read)
            if learns:
                self._advance()
        if ticks == free:
            self.out.answer = self._answer(free)
        if learns:
            self.phase = "nudged"
            self._commit(image)
        for phase, passed in (("free", free), ("nudged", ticks - free)) if learns else (("inference", free),):
            self.counts[phase, "run", "ticks"] += passed
            self.counts[phase, "run", "presentations"] += 1
        return self.out

    def _begin(self, image, index: int, ticks: int, scale: float) -> None:
        layers, projections = self.network.layers, self.network.projections
        self.out = Presentation(*({layer.name: [] for layer in layers} for _ in range(3)))
        self.v = {layer.name: np.zeros(layer.size) for layer in self.lif}
        self.resting = {layer.name: np.zeros(layer.size, int) for layer in self.lif}
        self.owed = {layer.name: np.zeros(layer.size) for layer in self.lif}
        self.held = {p.name: np.zeros((self.size[p.pre], self.size[p.post])) for p in projections}
        self.charge = {(p.name, way): [] for p in projections for way in ("forward", "backward")}
        negative = self.random_sign and uniforms(self.seed, Purpose.NUDGE_SIGN, index, 0)[0] > 0.5
        self.signed = -self.beta if negative else self.beta
        share = 1 / self.signed if self.rule.contrastive else 1.0
        self.share = scale * share
        self.gain = {p.name: scale * p.synapse.learning_rate * share for p in projections}
        self.drive = {layer.name: self.biases[layer.name].copy() for layer in self.lif}
        if self.encoding.kind != "static":
            self.trains = spike_trains(
                image, self.encoding.kind, self.encoding.max_rate, ticks, self.seed, Purpose.INPUT_SPIKES, index
            )
        for p in projections:
            if self.kind[p.pre] == "static":
                self.drive[p.post] += image @ self.weights[p.name]
        self.static_macs = {
            p.name: np.count_nonzero(image) * self.size[p.post] for p in projections if self.kind[p.pre] == "static"
        }

    def _fire(self, t: int, label: int | None, injected, past: dict, read: dict) -> None:
        current = {layer.name: self.drive[layer.name].copy() for layer in self.lif}
        for p in self.network.projections:
            if self.kind[p.pre] != "static":
                current[p.post] += self._arriving(p, "forward", t)
            if p.symmetric:
                current[p.pre] += self._arriving(p, "backward", t)
        if injected is not None:
            for name in current:
                current[name] += injected[name][t]
        if self.phase == "nudged":
            name = self.network.layers[-1].name
            wanted = self.target_rate * (np.arange(self.size[name]) == label)
            current[name] += self.signed * (wanted - self.rule.rate(read[name]))
            self.counts[self.phase, name, "trace_updates"] += self.size[name]
        for layer in self.network.layers:
            if layer.kind == "lif":
                fired = np.array([self._integrate(layer, k, current[layer.name][k]) for k in range(layer.size)], int)
                self.out.potentials[layer.name].append(self.v[layer.name].copy())
                self.counts[self.phase, layer.name, "neuron_updates"] += layer.size
            else:
                fired = self.trains[t] if layer.kind == "source" else np.zeros(layer.size, int)
            self.out.spikes[layer.name].append(fired)
            self.counts[self.phase, layer.name, "spikes"] += int(fired.sum())
        if t == 0:
            for name, macs in self.static_macs.items():
                self.counts[self.phase, name, "macs_forward"] += macs

    def _arriving(self, p: Projection, way: str, t: int) -> np.ndarray:
        """Sum what every earlier tick's spikes still bring now: all at once, or spread exponentially to unit area."""
        arriving = np.zeros(self.size[p.post if way == "forward" else p.pre])
        tau = p.synapse.tau_synapse_ticks
        decay = np.exp(-1 / tau) if tau > 0 else 0.0
        for then, charge in enumerate(self.charge[p.name, way]):
            arriving += (1 - decay) * decay ** (t - then - 1) * charge
        return arriving

    def _integrate(self, layer, k: int, current: float) -> bool:
        neuron, v = layer.neuron, self.v[layer.name]
        if self.resting[layer.name][k] > 0:
            self.resting[layer.name][k] -= 1
            return False
        v[k] = (1 - neuron.leak) * v[k] + current
        fired = v[k] >= neuron.threshold
        if fired:
            v[k] = neuron.reset_value if neuron.reset == "hard" else v[k] - neuron.threshold
            self.resting[layer.name][k] = neuron.refractory_ticks
        held = bounded(v[k], neuron.v_min, neuron.v_max)
        if held != v[k]:
            self.counts[self.phase, layer.name, "saturations"] += 1
        v[k] = held
        return bool(fired)

    def _deliver(self, t: int) -> None:
        for p in self.network.projections:
            pre, post = self.out.spikes[p.pre][t], self.out.spikes[p.post][t]
            self.charge[p.name, "forward"].append(pre @ self.weights[p.name])
            self.counts[self.phase, p.name, "synaptic_events_forward"] += int(pre.sum()) * self.size[p.post]
            if p.symmetric:
                self.charge[p.name, "backward"].append(self.weights[p.name] @ post)
                self.counts[self.phase, p.name, "synaptic_events_backward"] += int(post.sum()) * self.size[p.pre]

    def _learn(self, t: int, read: dict) -> None:
        for layer in self.lif:
            post = read[layer.name]
            for k in range(layer.size):
                self.owed[layer.name][k] += self.rule.on_pre(0.0, post, 0, post, k)
                self.counts[self.phase, layer.name, "trace_updates"] += 1
        for number, p in enumerate(self.network.projections):
            if not p.synapse.plastic or self.kind[p.pre] == "static":
                continue
            pre, post = read[p.pre], read[p.post]
            for i in np.flatnonzero(self.out.spikes[p.pre][t]):
                for j in range(self.size[p.post]):
                    self._move(p, i, j, self.rule.on_pre(self.weights[p.name][i, j], pre, i, post, j), (t, number, 1))
                    self.counts[self.phase, p.post, "trace_updates"] += 1
            if self.kind[p.pre] == "source" and not self.rule.traces_sources:
                continue
            for j in np.flatnonzero(self.out.spikes[p.post][t]):
                for i in range(self.size[p.pre]):
                    self._move(p, i, j, self.rule.on_post(self.weights[p.name][i, j], pre, i, post, j), (t, number, 0))
                    self.counts[self.phase, p.pre, "trace_updates"] += 1

    def _move(self, p: Projection, i: int, j: int, asked: float, place: tuple) -> None:
        """Do at once, or note at the synapse, what one spike asks of one synapse."""
        self.out.updates.append((*place, int(i), int(j), self.gain[p.name] * asked))
        if p.synapse.commit == "immediate":
            self._write(p, i, j, self.gain[p.name] * asked)
            return
        before = self.held[p.name][i, j]
        self.held[p.name][i, j] += asked
        changed = self.held[p.name][i, j] != before
        self.counts[self.phase, p.name, "accumulator_writes" if changed else "suppressed_updates"] += 1

    def _write(self, p: Projection, i: int, j: int, step: float, *, suppressible: bool = True) -> None:
        before = self.weights[p.name][i, j]
        wanted = before + step
        after = bounded(wanted, p.synapse.w_min, p.synapse.w_max)
        self.weights[p.name][i, j] = after
        self.counts[self.phase, p.name, "saturations"] += after != wanted
        if after != before:
            self.counts[self.phase, p.name, "weight_writes"] += 1
        elif suppressible:
            self.counts[self.phase, p.name, "suppressed_updates"] += 1

    def _advance(self) -> None:
        for layer in self.network.layers:
            traced = layer.kind == "lif" or (layer.kind == "source" and self.rule.traces_sources)
            if traced:
                self.counts[self.phase, layer.name, "trace_updates"] += layer.size * self.rule.named_traces
                now = self.rule.rate(self.rule.read(np.array(self.out.spikes[layer.name])))
                self.out.rates[layer.name].append(now)

    def _commit(self, image) -> None:
        for p in self.network.projections:
            if not p.synapse.plastic:
                continue
            for i in range(self.size[p.pre]):
                for j in range(self.size[p.post]):
                    if self.kind[p.pre] == "static":
                        if image[i] != 0:
                            self._write(p, i, j, self.gain[p.name] * image[i] * self.owed[p.post][j])
                    elif p.synapse.commit == "end_of_phase":
                        held = self.held[p.name][i, j]
                        self._write(p, i, j, self.gain[p.name] * held, suppressible=held != 0)
        if self.rule.contrastive:
            for layer in self.lif:
                self._commit_biases(layer)

    def _commit_biases(self, layer) -> None:
        """Move biases as weights from a unit that is always active, at the rate of the projection onto their layer."""
        onto = [p for p in self.network.projections if p.post == layer.name]
        rate = max((p.synapse.learning_rate for p in onto if p.synapse.plastic), default=0.0)
        if rate == 0:
            return
        gain = rate * self.share
        for k in range(layer.size):
            before = self.biases[layer.name][k]
            self.biases[layer.name][k] += gain * self.owed[layer.name][k]
            changed = self.biases[layer.name][k] != before
            self.counts[self.phase, f"bias->{layer.name}", "weight_writes" if changed else "suppressed_updates"] += 1

    def _answer(self, free: int) -> int:
        name = self.network.layers[-1].name
        votes = np.sum(self.out.spikes[name][free - self.phases.readout_ticks :], axis=0)
        return max(range(self.size[name]), key=lambda k: (votes[k], self.v[name][k], -k))

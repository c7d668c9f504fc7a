"""The fixed-point engine told slowly, in Python's own integers: one neuron, one synapse, one tick after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from eqspike.core.rng import Purpose
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.fixed_settings import FixedPoint
from eqspike.substrates.spiking.settings import Phases
from reference.philox import WORD, philox4x32

COMMIT, PRE, POST, BIAS, TRACE = range(5)


@dataclass
class Presentation:
    """What one presentation did: spikes, potentials and rates (ticks, n) per layer as integers; updates; the answer."""

    spikes: dict[str, list] = field(default_factory=dict)
    potentials: dict[str, list] = field(default_factory=dict)
    rates: dict[str, list] = field(default_factory=dict)
    updates: list[tuple] = field(default_factory=list)
    answer: int = -1


def padded(n: int) -> int:
    return n if n % 16 == 0 else n + 16 - n % 16


def multiplier_of(ratio: float, bits: int) -> tuple[int, int]:
    """Return the shortest shift, at most 48, that leaves ``bits`` bits, and the multiplier before it."""
    shift = 0
    while shift < 48 and ratio * 2**shift < 2 ** (bits - 1):
        shift += 1
    return round(ratio * 2**shift), shift


def nearest(value: int, shift: int) -> int:
    """Return value * 2**shift as an integer, rounded to nearest, halves up."""
    return value * 2**shift if shift >= 0 else (2 * value + 2**-shift) // 2 ** (1 - shift)


class FixedTwin:
    """A network of integers: what synapses store by projection, biases by layer, counts by (phase, row, counter)."""

    def __init__(
        self, network: Network, phases: Phases, fixed: FixedPoint, exponents: list[int], *, tau_ticks: int,
        delay_ticks: int, seed: int, beta: float, random_sign: bool, target_rate: float,
    ) -> None:  # fmt: skip
        self.network, self.phases, self.fixed, self.exponents = network, phases, fixed, exponents
        self.delay, self.seed, self.beta, self.random_sign = delay_ticks, seed, beta, random_sign
        self.lif = [layer for layer in network.layers if layer.kind == "lif"]
        self.size = {layer.name: layer.size for layer in network.layers}
        self.threshold = self.lif[0].neuron.threshold
        self.one = 2 ** (fixed.potential_bits - 2)
        self.full = 2**fixed.trace_bits
        self.tau_shift = next(k for k in range(32) if 2**k == tau_ticks)
        self.target = round(target_rate * self.full)
        self.nudge = multiplier_of(beta / self.threshold * self.one / self.full, 15)
        self.step = {
            p.name: self.threshold * 2.0**e * (2 if fixed.odd else 1)
            for p, e in zip(network.projections, exponents, strict=True)
        }
        self.range = {p.name: self.bounds(p) for p in network.projections}
        self.stored: dict[str, list[list[int]]] = {}
        self.biases: dict[str, list[int]] = {}
        self.counts: Counter = Counter()
        self.first_row, self.first_column, self.first_neuron = {}, {}, {}
        rows = columns = neurons = 0
        for p in network.projections:
            self.first_row[p.name], self.first_column[p.name] = rows, columns
            rows += self.size[p.pre] * padded(self.size[p.post])
            columns += padded(self.size[p.post]) * padded(self.size[p.pre])
        for layer in self.lif:
            self.first_neuron[layer.name] = neurons
            neurons += padded(layer.size)
        self.all_neurons = neurons

    def adopt(self, weights: dict, biases: dict) -> None:
        """Store the weights and biases that are nearest to real values, residues half full."""
        half, bottom = 2**self.fixed.accumulator_bits // 2, 1 if self.fixed.odd else 0
        for p in self.network.projections:
            unit = self.step[p.name] / (2 if self.fixed.odd else 1)
            codes = [[round((w / unit - bottom) / (1 + bottom)) for w in row] for row in weights[p.name].tolist()]
            self.stored[p.name] = [[code * 2**self.fixed.accumulator_bits + half for code in row] for row in codes]
        self.biases = {name: [round(b / self.threshold * self.one) for b in biases[name].tolist()] for name in biases}

    def weight(self, name: str, i: int, j: int) -> int:
        """Return a weight in its unit, the residue dropped."""
        code = self.stored[name][i][j] // 2**self.fixed.accumulator_bits
        return 2 * code + 1 if self.fixed.odd else code

    def real(self, p: Projection) -> np.ndarray:
        """Return the weights (n_pre, n_post) of ``p`` as real numbers."""
        unit = self.step[p.name] / (2 if self.fixed.odd else 1)
        return np.array(
            [[self.weight(p.name, i, j) * unit for j in range(self.size[p.post])] for i in range(self.size[p.pre])]
        )

    def bounds(self, p: Projection) -> tuple[int, int]:
        """Return the lowest and the highest number that a synapse stores."""
        unit, odd, bits = self.step[p.name] / (2 if self.fixed.odd else 1), self.fixed.odd, self.fixed.weight_bits
        codes = range(-(2**bits) // 2, 2**bits // 2)
        low, high = p.synapse.w_min, p.synapse.w_max
        real = [(code, (2 * code + 1 if odd else code) * unit) for code in codes]
        codes = [c for c, w in real if (low is None or w >= low) and (high is None or w <= high)]
        size = 2**self.fixed.accumulator_bits
        return min(codes) * size, max(codes) * size + size - 1

    def present(self, image, label: int | None, index: int, *, scale: float = 1.0) -> Presentation:
        """Present ``image`` (8-bit integers); learn if there is a ``label``."""
        learns, free = label is not None, self.phases.free_ticks
        ticks = free + (self.phases.nudged_ticks if learns else 0)
        self._begin(image, index, scale)
        for t in range(ticks):
            self.phase = ("nudged" if t >= free else "free") if learns else "inference"
            if t == free:
                self.out.answer = self._answer(free)
            self._fire(t, label)
            self._deliver(t)
            if self.phase == "nudged":
                self._learn(t)
            if learns:
                self._advance(t)
        if ticks == free:
            self.out.answer = self._answer(free)
        for phase, passed in (("free", free), ("nudged", ticks - free)) if learns else (("inference", free),):
            self.counts[phase, "run", "ticks"] += passed
            self.counts[phase, "run", "presentations"] += 1
        macs = {
            p.name: np.count_nonzero(image) * self.size[p.post] for p in self.network.projections if self._static(p)
        }
        for name, count in macs.items():
            self.counts["free" if learns else "inference", name, "macs_forward"] += int(count)
        if learns:
            self._commit(image)
        return self.out

    def _static(self, p: Projection) -> bool:
        return p.pre == self.network.layers[0].name

    def _word(self, use: int, tick: int, at: int, width: int, k: int) -> int:
        """Return the word of place ``k`` among ``width`` that begin at block ``at``: planes of a quarter each."""
        word, block = divmod(k, width // 4)
        place = int(Purpose.ROUNDING) + 2**8 * use + 2**16 * tick
        counter = (self.index % WORD, self.index // WORD, at + block, place)
        return philox4x32(counter, (self.seed % WORD, self.seed // WORD))[word]

    def _begin(self, image, index: int, scale: float) -> None:
        self.index, self.scale = index, scale
        self.out = Presentation(*({layer.name: [] for layer in self.lif} for _ in range(3)))
        self.v = {layer.name: [0] * layer.size for layer in self.lif}
        self.resting = {layer.name: [0] * layer.size for layer in self.lif}
        self.rate = {layer.name: [0] * layer.size for layer in self.lif}
        self.change = {layer.name: [0] * layer.size for layer in self.lif}
        self.owed = {layer.name: [0] * layer.size for layer in self.lif}
        self.held = {p.name: np.zeros((self.size[p.pre], self.size[p.post]), object) for p in self.network.projections}
        counter = (index % WORD, index // WORD, 0, int(Purpose.NUDGE_SIGN))
        word = philox4x32(counter, (self.seed % WORD, self.seed // WORD))[0]
        self.sign = -1 if self.random_sign and word >= WORD // 2 else 1
        self.drive = {layer.name: list(self.biases[layer.name]) for layer in self.lif}
        for p, exponent in zip(self.network.projections, self.exponents, strict=True):
            if self._static(p):
                for j in range(self.size[p.post]):
                    total = sum(int(image[i]) * self.weight(p.name, i, j) for i in range(self.size[p.pre]))
                    self.drive[p.post][j] += nearest(total, exponent + self.fixed.potential_bits - 2 - 8)

    def _fire(self, t: int, label: int | None) -> None:
        current = {layer.name: list(self.drive[layer.name]) for layer in self.lif}
        for p, exponent in zip(self.network.projections, self.exponents, strict=True):
            shift = exponent + self.fixed.potential_bits - 2
            if t == 0 or self._static(p):
                continue
            for j in range(self.size[p.post]):
                current[p.post][j] += nearest(self.arriving[p.name, "forward"][j], shift)
            for i in range(self.size[p.pre] if p.symmetric else 0):
                current[p.pre][i] += nearest(self.arriving[p.name, "backward"][i], shift)
        if self.phase == "nudged":
            name = self.network.layers[-1].name
            multiplier, shift = self.nudge
            for k in range(self.size[name]):
                wanted = self.target if k == label else 0
                current[name][k] += nearest((wanted - self.rate[name][k]) * multiplier * self.sign, -shift)
            self.counts[self.phase, name, "trace_updates"] += self.size[name]
        for layer in self.lif:
            fired = [int(self._integrate(layer, k, current[layer.name][k])) for k in range(layer.size)]
            self.out.spikes[layer.name].append(fired)
            self.out.potentials[layer.name].append(list(self.v[layer.name]))
            self.counts[self.phase, layer.name, "neuron_updates"] += layer.size
            self.counts[self.phase, layer.name, "spikes"] += sum(fired)

    def _integrate(self, layer, k: int, current: int) -> bool:
        neuron, v, register = layer.neuron, self.v[layer.name], 2**self.fixed.potential_bits
        if self.resting[layer.name][k] > 0:
            self.resting[layer.name][k] -= 1
            return False
        asked = v[k] + current
        if neuron.leak:
            asked -= v[k] // round(1 / neuron.leak)
        if self.fixed.overflow == "wrap":
            u = (asked + register // 2) % register - register // 2
        else:
            u = max(-register // 2, min(register // 2 - 1, asked))
        lost, fired = u != asked, u >= self.one
        if fired:
            u = self._potential(neuron.reset_value) if neuron.reset == "hard" else u - self.one
            self.resting[layer.name][k] = neuron.refractory_ticks
        v[k] = max(self._potential(neuron.v_min), min(self._potential(neuron.v_max), u))
        self.counts[self.phase, layer.name, "saturations"] += int(lost or v[k] != u)
        return fired

    def _potential(self, value: float) -> int:
        return round(value / self.threshold * self.one)

    def _deliver(self, t: int) -> None:
        self.arriving = {}
        for p in self.network.projections:
            if self._static(p):
                continue
            pre, post = self.out.spikes[p.pre][t], self.out.spikes[p.post][t]
            weights = [[self.weight(p.name, i, j) for j in range(len(post))] for i in range(len(pre))]
            self.arriving[p.name, "forward"] = [
                sum(weights[i][j] for i in range(len(pre)) if pre[i]) for j in range(len(post))
            ]
            self.counts[self.phase, p.name, "synaptic_events_forward"] += sum(pre) * len(post)
            if p.symmetric:
                self.arriving[p.name, "backward"] = [
                    sum(weights[i][j] for j in range(len(post)) if post[j]) for i in range(len(pre))
                ]
                self.counts[self.phase, p.name, "synaptic_events_backward"] += sum(post) * len(pre)

    def _learn(self, t: int) -> None:
        for layer in self.lif:
            for k in range(layer.size):
                self.owed[layer.name][k] += self.change[layer.name][k]
                self.counts[self.phase, layer.name, "trace_updates"] += 1
        for number, p in enumerate(self.network.projections):
            if not p.synapse.plastic or self._static(p):
                continue
            n_pre, n_post = self.size[p.pre], self.size[p.post]
            fired, width = np.flatnonzero(self.out.spikes[p.pre][t]).tolist(), padded(n_post)
            for e, i in enumerate(fired):
                for j in range(n_post):
                    word = self._word(PRE, t, self.first_row[p.name] // 4, len(fired) * width, e * width + j)
                    self._spiked(p, i, j, self.change[p.post][j], word, (t, number, 1))
                    self.counts[self.phase, p.post, "trace_updates"] += 1
            fired, width = np.flatnonzero(self.out.spikes[p.post][t]).tolist(), padded(n_pre)
            for e, j in enumerate(fired):
                for i in range(n_pre):
                    word = self._word(POST, t, self.first_column[p.name] // 4, len(fired) * width, e * width + i)
                    self._spiked(p, i, j, self.change[p.pre][i], word, (t, number, 0))
                    self.counts[self.phase, p.pre, "trace_updates"] += 1

    def _spiked(self, p: Projection, i: int, j: int, change: int, word: int, place: tuple) -> None:
        multiplier, shift = self._gain(p)
        asked = change * multiplier * self.sign / 2**shift * self.step[p.name] / 2**self.fixed.accumulator_bits
        self.out.updates.append((*place, i, j, asked))
        if p.synapse.commit == "immediate":
            self._write(p, i, j, change * multiplier * self.sign, shift, word)
            return
        self.held[p.name][i, j] += change
        self.counts["nudged", p.name, "accumulator_writes" if change else "suppressed_updates"] += 1

    def _gain(self, p: Projection) -> tuple[int, int]:
        per_change = self.scale * p.synapse.learning_rate / (self.beta * self.delay * self.step[p.name])
        per_change *= 2.0**self.fixed.accumulator_bits / self.full
        return multiplier_of(per_change / 256 if self._static(p) else per_change, 8)

    def _write(self, p: Projection, i: int, j: int, asked: int, shift: int, word: int) -> None:
        """Round ``asked`` / 2**shift up with a probability that is its fraction, and add it to what is stored."""
        draw = word * 2 ** (shift - 32) if shift >= 32 else word // 2 ** (32 - shift)
        low, high = self.range[p.name]
        before = self.stored[p.name][i][j]
        wanted = before + (asked + draw) // 2**shift
        after = max(low, min(high, wanted))
        self.stored[p.name][i][j] = after
        size, counted = 2**self.fixed.accumulator_bits, lambda counter: ("nudged", p.name, counter)
        self.counts[counted("weight_writes")] += after // size != before // size
        self.counts[counted("accumulator_writes")] += after % size != before % size
        self.counts[counted("suppressed_updates")] += after == before
        self.counts[counted("saturations")] += after != wanted

    def _advance(self, t: int) -> None:
        for layer in self.lif:
            name = layer.name
            self.counts[self.phase, name, "trace_updates"] += 2 * layer.size
            past = self.out.rates[name]
            for k in range(layer.size):
                gap = self.out.spikes[name][t][k] * self.full - self.rate[name][k]
                if self.fixed.trace_rounding == "stochastic":
                    place = self.first_neuron[name] + k
                    gap += self._word(TRACE, t, 0, self.all_neurons, place) // 2 ** (32 - self.tau_shift)
                self.rate[name][k] += gap // 2**self.tau_shift
                self.change[name][k] = self.rate[name][k] - (past[t - self.delay][k] if t >= self.delay else 0)
            past.append(list(self.rate[name]))

    def _commit(self, image) -> None:
        for p in self.network.projections:
            static = self._static(p)
            if not p.synapse.plastic or not (static or p.synapse.commit == "end_of_phase"):
                continue
            (multiplier, shift), width = self._gain(p), padded(self.size[p.post])
            moved = np.flatnonzero(image).tolist() if static else range(self.size[p.pre])
            for e, i in enumerate(moved):
                for j in range(self.size[p.post]):
                    asked = int(image[i]) * self.owed[p.post][j] if static else self.held[p.name][i, j]
                    word = self._word(COMMIT, 0, self.first_row[p.name] // 4, len(moved) * width, e * width + j)
                    self._write(p, i, j, asked * multiplier * self.sign, shift, word)
        for layer in self.lif:
            self._commit_biases(layer)

    def _commit_biases(self, layer) -> None:
        """Move biases, registers as wide as potentials, at the rate of the fastest plastic projection onto them."""
        onto = [p for p in self.network.projections if p.post == layer.name and p.synapse.plastic]
        rate = self.scale * max((p.synapse.learning_rate for p in onto), default=0.0)
        unit = self.threshold / self.one
        multiplier, shift = multiplier_of(rate / (self.beta * self.delay * unit * self.full), 8) if rate else (0, 0)
        width, row = padded(layer.size), f"bias->{layer.name}"
        for k in range(layer.size if multiplier else 0):
            word = self._word(BIAS, 0, self.first_neuron[layer.name] // 4, width, k)
            draw = word * 2 ** (shift - 32) if shift >= 32 else word // 2 ** (32 - shift)
            before = self.biases[layer.name][k]
            wanted = before + (self.owed[layer.name][k] * multiplier * self.sign + draw) // 2**shift
            after = max(-2 * self.one, min(2 * self.one - 1, wanted))
            self.biases[layer.name][k] = after
            self.counts["nudged", row, "weight_writes" if after != before else "suppressed_updates"] += 1
            self.counts["nudged", row, "saturations"] += after != wanted

    def _answer(self, free: int) -> int:
        name = self.network.layers[-1].name
        votes = np.sum(self.out.spikes[name][free - self.phases.readout_ticks :], axis=0)
        return max(range(self.size[name]), key=lambda k: (votes[k], self.v[name][k], -k))

"""A recount of what a dense binary network does, synapse by synapse, from its states at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from eqspike.core.ledger import PHASES
from eqspike.substrates.binary.substrate import BinarySubstrate
from reference.binary_cases import eight_bits, scales_of, signs_of, states_of

F = np.float32
Layers = list[np.ndarray]


def walk(made: BinarySubstrate, image: np.ndarray, label: int, beta: float, *, nudged: bool) -> list[Layers]:
    """Return the states after every step of the schedule of the free phase, then of the nudged one."""
    free, more = made.dynamics.free_steps, made.dynamics.nudged_steps if nudged else 0
    path = [states_of(made, image, free=t) for t in range(1, free + 1)]
    return path + [states_of(made, image, free=free, nudged=t, label=label, beta=beta) for t in range(1, more + 1)]


class Recount:
    """Counts of presentations to ``made``, whose weights stand still meanwhile.

    ``counts`` are by (phase, row, counter), ``spikes`` (n_phases, n) by layer.
    """

    def __init__(self, made: BinarySubstrate) -> None:
        self.made, self.binary = made, made.dynamics.activation == "binary"
        self.layers, self.projections = made.network.layers, made.network.projections
        self.counts: Counter = Counter()
        self.spikes = {layer.name: np.zeros((3, layer.size), np.int64) for layer in self.layers[1:]}

    def train(self, image: np.ndarray, label: int, beta: float) -> None:
        """Count a presentation that is learnt from."""
        path, steps = walk(self.made, image, label, beta, nudged=True), self.made.dynamics.free_steps
        free, nudged = path[:steps], path[steps:]
        start = self._begin("free", image)
        self._settle("free", image, start, free)
        self._settle("nudged", image, free[-1], nudged, beta=beta)
        self._accumulate(image, self._emitted(free[-1]), self._emitted(nudged[-1]))

    def infer(self, image: np.ndarray) -> None:
        """Count a presentation for an answer."""
        path = walk(self.made, image, 0, 0.0, nudged=False)
        self._settle("inference", image, self._begin("inference", image), path)

    def _emitted(self, states: Layers) -> Layers:
        return [s >= F(self.made.dynamics.threshold) for s in states] if self.binary else states

    def _begin(self, phase: str, image: np.ndarray) -> Layers:
        """Count the pixels' events; where activations are binary every neuron switches on."""
        first = self.projections[0].name
        self.counts[phase, first, "synaptic_events_forward"] += np.count_nonzero(image) * self.layers[1].size
        for k, layer in enumerate(self.layers[1:], start=1):
            for i in range(layer.size if self.binary else 0):
                self._send(phase, k, i)
        return [np.full(layer.size, float(self.binary), F) for layer in self.layers[1:]]

    def _send(self, phase: str, k: int, i: int) -> None:
        """Count the events of neuron ``i`` of layer ``k``: one for every neuron that it reaches, either way."""
        layer = self.layers[k].name
        if self.binary:
            self.counts[phase, layer, "spikes"] += 1
            self.spikes[layer][PHASES.index(phase), i] += 1
        for projection in self.projections:
            if projection.pre == layer:
                for _ in range(self.made.network.layer(projection.post).size):
                    self.counts[phase, projection.name, "synaptic_events_forward"] += 1
            if projection.post == layer and projection.pre != "input":
                for _ in range(self.made.network.layer(projection.pre).size):
                    self.counts[phase, projection.name, "synaptic_events_backward"] += 1

    def _settle(self, phase: str, image: np.ndarray, start: Layers, path: list[Layers], beta: float = 0.0) -> None:
        before, ticks = start, None
        for t, states in enumerate(path, start=1):
            for k, (old, new) in enumerate(zip(self._emitted(before), self._emitted(states), strict=True), start=1):
                for i in np.flatnonzero(old != new):
                    self._send(phase, k, int(i))
            if ticks is None and self._rests(image, before, states, beta):
                ticks = min(t + self.binary, len(path))
            before = states
        counted = len(path) if ticks is None or self.made.dynamics.stop == "schedule" else ticks
        self.counts[phase, "run", "ticks"] += counted
        self.counts[phase, "run", "presentations"] += 1
        for layer in self.layers[1:]:
            self.counts[phase, layer.name, "neuron_updates"] += counted * layer.size

    def _rests(self, image: np.ndarray, before: Layers, after: Layers, beta: float) -> bool:
        """Return whether nothing moves; of binary activations, whether none ever will.

        These rest when none flips, each is on the side of its drive, and a nudged output stands still.
        """
        if not self.binary:
            return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        sides = [np.array_equal(*pair) for pair in zip(self._emitted(before), self._emitted(after), strict=True)]
        pulls = [
            np.array_equal(h >= F(self.made.dynamics.threshold), on)
            for h, on in zip(self._drives(image, before), self._emitted(after), strict=True)
        ]
        if beta:
            pulls[-1] = np.array_equal(before[-1], after[-1])
        return all(sides) and all(pulls)

    def _drives(self, image: np.ndarray, states: Layers) -> Iterator[np.ndarray]:
        """Yield what drives each layer in the next step, but for a nudge."""
        signs, scales, biases = signs_of(self.made), scales_of(self.made), list(self.made.get_weights()[1].values())
        sources = [eight_bits(image), *(on.astype(np.int64) for on in self._emitted(states))]
        for k, sign in enumerate(signs):
            unit = F(float(scales[0]) / 255) if k == 0 else scales[k]
            h = unit * (sources[k] @ sign.astype(np.int64)).astype(F) + biases[k]
            if k + 1 < len(signs):
                h = h + scales[k + 1] * (signs[k + 1].astype(np.int64) @ sources[k + 2]).astype(F)
            yield h

    def _accumulate(self, image: np.ndarray, free: Layers, nudged: Layers) -> None:
        """Count the synapses whose two phases differ in what they add."""
        first = eight_bits(image)
        for k, projection in enumerate(self.projections):
            pairs = [(first, free[0]), (first, nudged[0])] if k == 0 else [(s[k - 1], s[k]) for s in (free, nudged)]
            (pre_free, post_free), (pre_nudged, post_nudged) = pairs
            for i in range(len(pre_free)):
                for j in range(len(post_free)):
                    differ = pre_free[i] * post_free[j] != pre_nudged[i] * post_nudged[j]
                    self.counts["nudged", projection.name, "accumulator_writes"] += int(differ)

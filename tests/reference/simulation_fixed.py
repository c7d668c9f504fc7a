"""The chip's integers told slowly: one neuron and one register after the other, in Python's own integers."""

from __future__ import annotations

from math import log2

import numpy as np

from eqspike.network.description import Layer, Projection
from eqspike.substrates.spiking.clocks import FixedPoint
from reference.simulation import Neurons, Twin


def shift_of(tau_s: float, tick_s: float) -> int:
    """Return the right shift whose time constant, 2^shift ticks, is nearest to ``tau_s`` by ratio."""
    return max(1, min(30, round(log2(tau_s / tick_s))))


def share_lost(value: int, shift: int) -> int:
    """Return value / 2^shift rounded away from zero."""
    return -(-value // 2**shift) if value > 0 else value // 2**shift


def share_added(value: int, shift: int) -> int:
    """Return value / 2^shift rounded to nearest, halves up."""
    return (2 * value + 2**shift) // 2 ** (shift + 1)


class FixedTwin(Twin):
    """A network on the clock ``FixedPoint``: state holds V, one current a time constant, and a, as Python integers."""

    def __init__(
        self, network, tick_s: float, inputs, *, seed: int, clock: FixedPoint, rule=None, initial=None
    ) -> None:
        self.clock = clock
        super().__init__(network, tick_s, inputs, seed=seed, rule=rule, initial=initial)

    def unit(self, layer: Layer) -> float:
        return (layer.neuron.v_threshold - layer.neuron.v_rest) / 2 ** (self.clock.potential_bits - 2)

    def rate(self, layer: Layer) -> float:
        """Return what a current is worth in a tick: of an integrate-and-fire neuron it is in units per second."""
        return self.tick_s if layer.neuron.tau_membrane_s is None else 1.0

    def integers(self, values: list[float]) -> list[int]:
        """Return integers of the weights' bits, sign included, times the least power of two that holds the largest."""
        most, step = max(1, 2 ** (self.clock.weight_bits - 1) - 1), 1
        while any(abs(round(value / step)) > most for value in values):
            step *= 2
        return [round(value / step) * step for value in values]

    def stored(self, p: Projection, weights: np.ndarray) -> np.ndarray:
        layer = self.network.layer(p.post)
        scale = (self.rate(layer) if p.tau_synapse_s > 0 else 1.0) / self.unit(layer)
        held = np.array(self.integers([float(w * scale) for w in weights.reshape(-1)]), object)
        return held.reshape(weights.shape)

    def event(self, layer: Layer, weight: float) -> int:
        return self.integers([weight / self.unit(layer)])[0]

    def potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        low, high = self.range
        steps = [round(float((value - layer.neuron.v_rest) / self.unit(layer))) for value in values]
        return np.array([min(max(step, low), high) for step in steps], object)

    @property
    def range(self) -> tuple[int, int]:
        return -(2 ** (self.clock.potential_bits - 1)), 2 ** (self.clock.potential_bits - 1) - 1

    def levels(self, layer: Layer) -> tuple[int, int, int]:
        neuron, unit = layer.neuron, self.unit(layer)
        reset = round((neuron.v_reset - neuron.v_rest) / unit)
        return 2 ** (self.clock.potential_bits - 2), reset, round(neuron.adaptation_step * self.rate(layer) / unit)

    def build(self, layer: Layer) -> Neurons:
        onto = [p for p in self.network.projections if p.post == layer.name and p.tau_synapse_s > 0]
        self.taus = {**getattr(self, "taus", {}), layer.name: list(dict.fromkeys(p.tau_synapse_s for p in onto))}
        taus = self.taus[layer.name]
        rows = {p.name: 1 + taus.index(p.tau_synapse_s) for p in onto} | {"a": 1 + len(taus)}
        state = np.zeros((2 + len(taus), layer.size), object)
        return Neurons(layer, state, np.zeros(0), [0] * layer.size, rows)

    def integrate(self, group: Neurons) -> None:
        layer, neuron, v = group.layer, group.layer.neuron, group.state[0]
        leak = None if neuron.tau_membrane_s is None else shift_of(neuron.tau_membrane_s, self.tick_s)
        drive = neuron.drive * self.rate(layer) / self.unit(layer) / (1 if leak is None else 2**leak)
        decays = [shift_of(tau, self.tick_s) for tau in self.taus[layer.name]]
        adapts = neuron.tau_adaptation_s is not None
        for k in range(layer.size):
            v[k] += round(drive) - (0 if leak is None else share_lost(v[k], leak))
            for row, decay in enumerate(decays, start=1):
                v[k] += share_added(group.state[row, k], leak or 0)
                group.state[row, k] -= share_lost(group.state[row, k], decay)
            if adapts:
                a = group.state[group.rows["a"]]
                v[k] -= share_added(a[k], leak or 0)
                a[k] -= share_lost(a[k], shift_of(neuron.tau_adaptation_s, self.tick_s))
        self.fit(group)

    def fit(self, group: Neurons) -> None:
        """Hold every register in its bits, also those of resting neurons, and count those that did not fit."""
        low, high = self.range
        for k, v in enumerate(group.state[0]):
            if not low <= v <= high:
                self.counts[group.layer.name, "saturations"] += 1
                wrapped = (v - low) % (high - low + 1) + low
                group.state[0, k] = wrapped if self.clock.overflow == "wrap" else min(max(v, low), high)

    def jump(self, name: str, k: int, by: int) -> None:
        self.neurons[name].state[0, k] += by

    def receive(self) -> None:
        super().receive()
        for group in self.neurons.values():
            self.fit(group)

    def potentials(self, name: str) -> list[float]:
        """Return the potentials of a layer in the user's unit; those of resting neurons are v_reset."""
        group = self.neurons[name]
        reset = self.levels(group.layer)[1]
        held = [reset if rests else v for rests, v in zip(group.resting, group.state[0], strict=True)]
        return [group.layer.neuron.v_rest + v * self.unit(group.layer) for v in held]

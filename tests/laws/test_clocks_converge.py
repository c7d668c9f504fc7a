"""The clocked engine tends to the exact one as its tick shrinks: spike times to first order, spikes one for one."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.network.connectivity import AllToAll, FixedProbability, Normal
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, Exact
from eqspike.substrates.spiking.simulation import simulate

pytestmark = pytest.mark.kernels
DURATION, DELAY = 0.125, 1 / 512
TICKS = [2.0**-k for k in (11, 12, 13, 14, 15)]
NEURONS = {
    "leaky-hard": LIF(tau_membrane_s=0.02, drive=1.6),
    "leaky-soft": LIF(tau_membrane_s=0.02, drive=1.6, reset="soft"),
    "leaky-refractory": LIF(tau_membrane_s=0.02, drive=1.8, refractory_s=1 / 512),
    "integrating-hard": LIF(tau_membrane_s=None, drive=60.0),
    "integrating-soft": LIF(tau_membrane_s=None, drive=60.0, reset="soft"),
}


def feed_forward(neuron: LIF, seed: int) -> tuple[Network, dict, dict]:
    """Return three layers in a row, with listed input at times that lie on no tick, and potentials to begin with."""
    numbers = np.random.default_rng(seed)
    layers = (Layer("in", 6, "source"), Layer("a", 8, "lif", neuron), Layer("b", 8, "lif", neuron))
    projections = (
        Projection("in", "a", connectivity=AllToAll(), weight=Normal(mean=0.03, sd=0.01), delay_s=DELAY),
        Projection("a", "b", connectivity=FixedProbability(probability=0.5), weight=-0.02, delay_s=2 * DELAY),
    )
    inputs = {"in": SpikeList(numbers.uniform(0, DURATION, 30), numbers.integers(0, 6, 30))}
    return Network(layers, projections), inputs, {name: numbers.uniform(0, 0.9, 8) for name in "ab"}


def spike_times(network: Network, inputs: dict, initial: dict, clock, seed: int) -> dict[tuple[str, int], np.ndarray]:
    result = simulate(network, DURATION, clock=clock, inputs=inputs, initial=initial, seed=seed)
    assert result.outcome.kind == "completed"
    return {(name, k): result.spikes[name].t[result.spikes[name].i == k] for name in "ab" for k in range(8)}


def error_at(tick: float, neuron: LIF, seed: int) -> list[float]:
    """Return by how much each spike of the clocked engine misses its time; one a neuron may fall beyond the end."""
    network, inputs, initial = feed_forward(neuron, seed)
    exact = spike_times(network, inputs, initial, Exact(), seed)
    found = spike_times(network, inputs, initial, Clocked(tick_s=tick, precision=64), seed)
    assert sum(times.size for times in exact.values()) > 40
    assert all(abs(found[key].size - exact[key].size) <= 1 for key in exact)
    return [abs(a - b) for key in exact for a, b in zip(found[key], exact[key], strict=False)]


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS.keys())
def test_spike_times_converge_to_first_order(neuron: LIF) -> None:
    errors = [np.mean([error for seed in (1, 2, 3) for error in error_at(tick, neuron, seed)]) for tick in TICKS]
    order = np.polyfit(np.log(TICKS), np.log(errors), 1)[0]
    assert 0.85 < order < 1.15
    assert errors[-1] < 4 * TICKS[-1]

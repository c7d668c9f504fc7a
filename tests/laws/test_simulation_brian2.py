"""Brian2 agrees spike for spike in 64 bits: membranes, synapses, delays, refractoriness, adaptation and STDP."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.learning.stdp import PairSTDP
from eqspike.network.connectivity import AllToAll, FixedProbability, Normal, OneToOne
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import simulate

brian2 = pytest.importorskip("brian2")
from reference.brian2_networks import run_brian2  # noqa: E402

# Brian2 2.9 parses units with names that pyparsing 3.3 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:'.*deprecated:DeprecationWarning")
TICK_S = 5e-4


def listed(size: int, rate_hz: float, duration_s: float, seed: int = 0) -> SpikeList:
    """Return random spikes on the grid, at most one a neuron and tick."""
    rng = np.random.default_rng(seed)
    neurons, ticks = np.nonzero(rng.random((size, round(duration_s / TICK_S))) < rate_hz * TICK_S)
    return SpikeList((ticks + 1) * TICK_S, neurons)


def assert_same(network: Network, duration_s: float, *, rate_hz: float = 60.0, rule=None, at_least: int = 50) -> None:
    inputs = {layer.name: listed(layer.size, rate_hz, duration_s) for layer in network.layers if layer.kind == "source"}
    rng = np.random.default_rng(1)
    initial = {layer.name: rng.uniform(-0.2, 0.9, layer.size) for layer in network.layers if layer.kind == "lif"}
    ours = simulate(
        network, duration_s, clock=Clocked(tick_s=TICK_S, precision=64), inputs=inputs, rule=rule, initial=initial,
        max_rate_hz=1e9,
    )  # fmt: skip
    spikes, potentials, weights = run_brian2(network, inputs, duration_s, TICK_S, initial=initial, rule=rule)
    for name, wanted in spikes.items():
        found = ours.spikes[name]
        fired = sorted(zip(np.rint(found.t / TICK_S).astype(int) - 1, found.i.tolist(), strict=True))
        np.testing.assert_array_equal(np.reshape(fired, (-1, 2)), np.reshape(wanted, (-1, 2)), err_msg=name)
        assert len(wanted) >= at_least, f"{name} hardly fires: {len(wanted)}"
    for name, wanted in potentials.items():
        np.testing.assert_allclose(ours.potentials()[name], wanted, rtol=1e-9, atol=1e-9)
    for p in network.projections:
        np.testing.assert_allclose(
            np.broadcast_to(ours.weights()[p.name].reshape(-1), weights[p.name].shape), weights[p.name], rtol=1e-9
        )


FORWARD = {
    "leaky": LIF(drive=0.4),
    "not leaky": LIF(tau_membrane_s=None, drive=9.0),
    "soft": LIF(reset="soft", v_rest=-0.3, v_reset=-0.1, drive=0.5),
    "refractory": LIF(refractory_s=4e-3, drive=1.4, v_reset=-0.2),
    "adaptive": LIF(drive=1.3, tau_adaptation_s=0.06, adaptation_step=0.15),
}


@pytest.mark.parametrize(
    ("kind", "tau_s"),
    [(kind, 0.0) for kind in FORWARD] + [(kind, 3.7e-3) for kind, neuron in FORWARD.items() if neuron.tau_membrane_s],
)
def test_layers_in_a_row(kind: str, tau_s: float) -> None:
    neuron = FORWARD[kind]
    scale = 1.0 if tau_s == 0 else 5.0
    layers = (Layer("in", 12, "source"), Layer("middle", 15, "lif", neuron), Layer("out", 9, "lif", neuron))
    joined = FixedProbability(probability=0.5)
    network = Network(layers, (
        Projection(
            "in", "middle", connectivity=joined, weight=Normal(mean=0.2317 * scale, sd=0.08 * scale),
            tau_synapse_s=tau_s,
        ),
        Projection(
            "middle", "out", connectivity=joined, weight=Normal(mean=0.1931 * scale, sd=0.05 * scale),
            tau_synapse_s=tau_s, delay_s=2.5e-3,
        ),
    ))  # fmt: skip
    assert_same(network, 0.3)


def recurrent(plastic: bool = False) -> Network:
    layers = (
        Layer("in", 10, "source"), Layer("e", 30, "lif", LIF(drive=0.7, refractory_s=2e-3)),
        Layer("i", 10, "lif", LIF(tau_membrane_s=9e-3, drive=0.5)),
    )  # fmt: skip
    delays = np.random.default_rng(5).integers(1, 9, 30) * TICK_S
    return Network(layers, (
        Projection("in", "e", connectivity=AllToAll(), weight=Normal(mean=0.1213, sd=0.04), plastic=plastic),
        Projection(
            "e", "e", connectivity=FixedProbability(probability=0.2), weight=Normal(mean=0.0917, sd=0.03),
            delay_s=delays, plastic=plastic,
        ),
        Projection(
            "e", "i", connectivity=FixedProbability(probability=0.3), weight=Normal(mean=0.5, sd=0.1), delay_s=1.5e-3,
            tau_synapse_s=4e-3,
        ),
        Projection(
            "i", "e", connectivity=FixedProbability(probability=0.4), weight=Normal(mean=-0.6, sd=0.1), delay_s=2e-3,
            tau_synapse_s=7e-3,
        ),
        Projection("i", "i", connectivity=OneToOne(), weight=-0.2171, delay_s=1e-3),
    ))  # fmt: skip


def test_a_recurrent_network_with_delays() -> None:
    assert_same(recurrent(), 0.4)


@pytest.mark.parametrize("pairs", ["all-to-all", "nearest-neighbour"])
@pytest.mark.parametrize("bounds", [{}, {"w_min": 0.0, "w_max": 0.25}], ids=["free", "bounded"])
def test_a_recurrent_network_that_learns(pairs: str, bounds: dict) -> None:
    rule = PairSTDP(tau_plus=17e-3, tau_minus=21e-3, A_plus=0.0041, A_minus=0.0047, pairs=pairs, **bounds)
    assert_same(recurrent(plastic=True), 0.3, rule=rule)

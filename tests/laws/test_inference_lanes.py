"""Laws of inference side by side: a block of images does what its images do one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.cases import counts_of

from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking import program
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

pytestmark = pytest.mark.kernels
PHASES = Phases(free_ticks=25, nudged_ticks=1, readout_ticks=10)

NEURONS = st.builds(
    Neuron,
    threshold=st.sampled_from([1.0, 0.7]),
    leak=st.sampled_from([0.0, 0.25, 0.1]),
    reset=st.sampled_from(["soft", "hard"]),
    reset_value=st.sampled_from([0.0, -0.2]),
    v_min=st.sampled_from([-1.0, -0.3]),
    v_max=st.sampled_from([1.0, 1.8, 0.8]),
)


def both(network: Network, seed: int, n: int, *, threads: int = 1, precision: int = 64) -> list[tuple]:
    """Return answers, counts and spikes by neuron of ``n`` images, first one by one and then side by side."""
    rng, found = np.random.default_rng(seed), []
    images = rng.random((n, network.layers[0].size))
    images[rng.random(images.shape) < 0.4] = 0
    weights = {
        p.name: rng.normal(0.1, 1.2 / np.sqrt(network.layer(p.pre).size), _shape(network, p))
        for p in network.projections
    }
    biases = {layer.name: rng.normal(0.1, 0.1, layer.size) for layer in network.layers if layer.kind == "lif"}
    for together in (False, True):
        engine = SpikingSubstrate(network, EqSpike().plasticity(), PHASES, Encoding(), precision=precision)
        assert program.runs_together(engine.compiled)
        if not together:
            engine.replace_loop(engine._present)  # a loop over single images
        engine.set_weights(weights, biases)
        answers = engine.infer(images, threads=threads)
        found.append((answers, counts_of(engine.ledger()), engine.spikes_per_neuron()))
    return found


def _shape(network: Network, projection: Projection) -> tuple[int, int]:
    return network.layer(projection.pre).size, network.layer(projection.post).size


def assert_same(one_by_one: tuple, together: tuple) -> None:
    assert np.array_equal(one_by_one[0], together[0])
    assert one_by_one[1] == together[1]
    for name, spikes in one_by_one[2].items():
        assert np.array_equal(spikes, together[2][name])


@given(
    hidden=st.lists(st.sampled_from([3, 16, 21, 40]), max_size=2),
    outputs=st.sampled_from([3, 10, 17]),
    neuron=NEURONS,
    n=st.sampled_from([1, 2, 15, 16, 17, 35]),
    seed=st.integers(0, 2**31),
)
def test_side_by_side_every_count_is_that_of_one_by_one(hidden, outputs, neuron, n, seed) -> None:
    sizes = [12, *hidden, outputs]
    network = layered(sizes, "static", neuron, [Synapse(learning_rate=0.1)] * (len(sizes) - 1))
    one_by_one, together = both(network, seed, n)
    assert_same(one_by_one, together)


@pytest.mark.parametrize("precision", [32, 64])
def test_busy_networks_spike_alike(precision: int) -> None:
    """Both add in the same order, so 32 bits round alike too; the networks above might have been silent."""
    network = layered([12, 40, 21, 10], "static", Neuron(leak=0.0), [Synapse(learning_rate=0.1)] * 3)
    one_by_one, together = both(network, 5, 50, precision=precision)
    assert_same(one_by_one, together)
    assert all(spikes[2].sum() > 50 for name, spikes in together[2].items() if name != "input")
    assert any(count for (*_, what), count in together[1].items() if "clamped" in what or "saturations" in what)


def test_projections_may_skip_lead_back_and_share_a_layer() -> None:
    neuron, synapse = Neuron(leak=0.0), Synapse(learning_rate=0.1)
    layers = (Layer("input", 9, "static"), Layer("a", 20, "lif", neuron), Layer("b", 5, "lif", neuron),
              Layer("out", 4, "lif", neuron))  # fmt: skip
    projections = (
        Projection("input", "a", synapse), Projection("input", "b", synapse), Projection("a", "b", synapse),
        Projection("b", "a", synapse), Projection("a", "out", synapse), Projection("b", "out", synapse, symmetric=True),
    )  # fmt: skip
    assert_same(*both(Network(layers, projections), 3, 21))


def test_any_number_of_threads_counts_the_same() -> None:
    network = layered([12, 21, 10], "static", Neuron(), [Synapse(learning_rate=0.1)] * 2)
    assert_same(both(network, 7, 70, threads=1)[1], both(network, 7, 70, threads=3)[1])


@pytest.mark.parametrize(("kind", "neuron", "tau"), [
    ("regular", Neuron(), 0.0), ("static", Neuron(refractory_ticks=2), 0.0), ("static", Neuron(), 2.0),
])  # fmt: skip
def test_other_networks_are_presented_one_by_one(kind: str, neuron: Neuron, tau: float) -> None:
    network = layered([5, 4, 3], kind, neuron, [Synapse(learning_rate=0.1, tau_synapse_ticks=tau)] * 2)
    engine = SpikingSubstrate(network, EqSpike().plasticity(), PHASES, Encoding(kind=kind))
    assert not program.runs_together(engine.compiled)

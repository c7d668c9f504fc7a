"""From recipes, runs and networks to graphs that can be placed: every synapse, its bits, and the spikes of a run."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.costing.fit import convolved, graph_of, graph_of_network, graph_of_run, graph_of_simulation, graph_of_spec
from eqspike.network.description import Kernel, Layer, Network, PooledKernel, Projection
from eqspike.network.layered import layered_rate
from eqspike.recipes import load_network, shipped_networks
from eqspike.training.api import train
from eqspike.training.simulation_spec import parse_simulation
from hw_models import load_chip
from hw_models.mapping import place

TINY = {
    "name": "tiny",
    "data": {"name": "digits", "train_limit": 30, "test_limit": 20},
    "network": {"hidden": [8], "projections": [{"learning_rate": 0.05}, {"learning_rate": 0.01}]},
    "phases": {"free_ticks": 10, "nudged_ticks": 10, "readout_ticks": 5},
    "training": {"epochs": 1},
}


@pytest.mark.parametrize(
    "kernel",
    [
        Kernel(channels=3, size=3, padding=1, pool="max"),
        Kernel(channels=2, size=3, padding=0, pool="none"),
        Kernel(channels=2, size=2, padding=1, pool="average"),
        PooledKernel(channels=2, size=3, padding=1, pool="max", pool_size=3),
    ],
)
def test_a_convolution_joins_what_lies_below_each_square(kernel: Kernel) -> None:
    height, width, c_in = 7, 6, 2
    pre = Layer("a", height * width * c_in, "rate", shape=(height, width, c_in))
    shape = kernel.pooled(pre.shape)
    post = Layer("b", int(np.prod(shape)), "rate", shape=shape)
    joined = set()
    for row, column, above in np.ndindex(*shape):
        for y, x in np.ndindex(kernel.square, kernel.square):
            for u, v in np.ndindex(kernel.size, kernel.size):
                i = row * kernel.square + y + u - kernel.padding
                j = column * kernel.square + x + v - kernel.padding
                if 0 <= i < height and 0 <= j < width:
                    for below in range(c_in):
                        to = (row * shape[1] + column) * shape[2] + above
                        joined.add(((i * width + j) * c_in + below, to))
    starts, targets = convolved(kernel, pre, post)
    found = list(zip(np.repeat(np.arange(pre.size), np.diff(starts)).tolist(), targets.tolist(), strict=True))
    assert len(found) == len(set(found)) == len(joined)
    assert set(found) == joined


def test_a_recipe_becomes_its_layers_and_dense_connections() -> None:
    graph = graph_of("eqspike-digits")
    assert [(one.name, one.neurons, one.external) for one in graph.layers] == [
        ("input", 64, True),
        ("hidden", 100, False),
        ("output", 10, False),
    ]
    assert [(c.kind, c.bidirectional, c.plastic) for c in graph.connections] == [
        ("dense", False, True),
        ("dense", True, True),
    ]
    assert {c.weight_bits for c in graph.connections} == {32} and not graph.spikes_known


def test_synapses_that_wait_for_the_end_of_a_phase_hold_accumulators() -> None:
    waiting, acting = (
        layered_rate((8,), [5], 3, ("sigmoid", "sigmoid"), accumulates=accumulates) for accumulates in (True, False)
    )
    assert {c.accumulator_bits for c in graph_of_network(waiting, 8, "waiting").connections} == {32}
    assert {c.accumulator_bits for c in graph_of_network(acting, 8, "acting").connections} == {0}


def test_backward_weights_of_their_own_are_stored_apart() -> None:
    kernel = Kernel(channels=2)
    network = layered_rate((6, 6), [Kernel(channels=1), kernel], 3, ("sigmoid", "sigmoid"), tied=False)
    graph = graph_of_network(network, 8, "separate")
    names = [c.name for c in graph.connections]
    assert names == [
        "input->hidden1",
        "hidden1->hidden2",
        "hidden2->hidden1:hidden1->hidden2 backwards",
        "hidden2->output",
        "output->hidden2:hidden2->output backwards",
    ]
    assert len(graph.connections[1].targets) == len(graph.connections[2].targets)
    assert not any(c.bidirectional for c in graph.connections)


def test_a_run_brings_the_spikes_that_it_counted() -> None:
    run = train(TINY)
    graph = graph_of_run(run)
    counted = run.ledger.phases["inference"]
    assert graph.spikes_known
    for row, layer in enumerate(run.ledger.layers):
        if layer != "input":
            spikes = counted.layers[row, 0] / counted.presentations
            assert graph.layer(layer).spikes_per_neuron().sum() == pytest.approx(spikes)
    assert len(set(graph.layer("hidden").spikes_per_neuron())) > 1, "one by one, not their mean"
    forward = list(run.ledger.projections).index("input->hidden")
    macs = counted.projections[forward, 2] / counted.presentations
    assert graph.layer("input").spikes_per_neuron().sum() == pytest.approx(macs / 8), "a static input sends its pixels"
    assert graph.ticks == round(counted.ticks / counted.presentations)
    placement = place(graph.with_weight_bits(8), load_chip("loihi"))
    assert placement.cores == 1 and placement.intercore_spikes == 0


def test_a_network_in_time_is_placed_with_the_synapses_that_it_runs_with() -> None:
    spec = parse_simulation(load_network("brunel-1k") | {"duration_s": 0.02})
    graph = graph_of_spec(spec)
    simulation = spec.prepare()
    assert {c.name: len(c.targets) for c in graph.connections} == dict(simulation.synapses)
    assert {c.delay_ticks for c in graph.connections} == {15}, "1.5 ms in ticks of 0.1 ms"
    simulation.run(0.02)
    fired = graph_of_simulation(simulation, spec.seed)
    for name, spikes in simulation.spikes.items():
        assert fired.layer(name).spikes_per_neuron().sum() == len(spikes.i)
    assert fired.ticks == 200
    assert np.array_equal(fired.connections[0].targets, graph.connections[0].targets)


def test_every_network_that_ships_becomes_a_graph() -> None:
    for name in shipped_networks():
        if name != "brunel-10k":
            assert graph_of(name).neurons > 0


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="'nothing'"):
        graph_of("nothing")
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        graph_of("missing.toml")


def test_a_projection_without_a_kernel_stays_a_shape() -> None:
    layers = (Layer("a", 4, "source"), Layer("b", 3, "rate", activation="sigmoid"))
    graph = graph_of_network(Network(layers, (Projection("a", "b"),)), 16, "n")
    assert graph.shapes_only and graph.connections[0].weight_bits == 16 and graph.layer("b").bias_bits == 16

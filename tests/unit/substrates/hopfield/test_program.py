"""From networks to models: initial parameters by their distribution, and how often weights are used."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.description import Kernel, Network, Neuron, Synapse
from eqspike.network.layered import layered, layered_rate
from eqspike.substrates.hopfield.program import compile_network, initial_parameters, uses_below
from eqspike.substrates.hopfield.settings import Dynamics

RATE = ("sigmoid", "tanh")


def test_the_model_of_a_network() -> None:
    network = layered_rate((6, 6), [Kernel(channels=2), 5], 3, RATE, softmax=True)
    dynamics = Dynamics(kind="prototypical", nudge="inside", update="asynchronous")
    model = compile_network(network, dynamics)
    assert model.shapes == ((3, 3, 2), (5,)) and model.activations == ("sigmoid", "sigmoid")
    assert [(i.name, i.pre, i.post) for i in model.interactions] == [
        ("input->hidden1", 0, 1),
        ("hidden1->hidden2", 1, 2),
    ]
    assert model.softmax and model.asynchronous
    slow = compile_network(layered_rate((4,), [5], 3, RATE), Dynamics(kind="real-time", dt=0.25, clip=True))
    assert (slow.kind, slow.dt, slow.clip, slow.softmax, slow.activations) == ("real-time", 0.25, True, False, RATE)


def test_spiking_layers_have_no_energy() -> None:
    network = layered([4, 3, 2], "static", Neuron(), [Synapse(learning_rate=0.1)] * 2)
    with pytest.raises(ConfigError, match="a lif layer has no energy") as error:
        compile_network(network, Dynamics())
    assert error.value.field == "hidden"


def test_initial_weights_are_uniform_by_fan_in() -> None:
    """Bounds gain / sqrt(fan-in), variance a third of their square, within 5 standard errors."""
    network = layered_rate((30, 30), [Kernel(channels=40, size=5), 60], 50, RATE)
    found = initial_parameters(network, [0.5, 1.0, 2.0], 0.25, 0.0, seed=3)
    for p, gain in zip(network.projections, (0.5, 1.0, 2.0), strict=True):
        values, fan_in = found["weights"][p.name], int(np.prod(network.stored(p)[:-1]))
        bound = gain / np.sqrt(fan_in)
        assert 0.98 * bound < np.abs(values).max() <= bound
        assert abs(values.mean()) < 5 * bound / np.sqrt(3 * values.size)
        assert values.var() == pytest.approx(bound**2 / 3, rel=5 * np.sqrt(0.8 / values.size))
    biases = found["biases"]["1"]
    assert biases.shape == (40,) and 0.9 * 0.25 / 5 < np.abs(biases).max() <= 0.25 / 5
    again = initial_parameters(network, [0.5], 0.25, 0.0, seed=3)
    assert np.array_equal(again["weights"]["input->hidden1"], found["weights"]["input->hidden1"])
    other = initial_parameters(network, [0.5], 0.25, 0.0, seed=4)
    assert not np.isin(other["weights"]["input->hidden1"], found["weights"]["input->hidden1"]).any()


@pytest.mark.parametrize("degrees", [0.0, 22.5, 90.0, 180.0])
def test_backward_weights_begin_at_their_angle(degrees: float) -> None:
    network = layered_rate((4,), [200, 150], 3, RATE, tied=False)
    found = initial_parameters(network, [1.0], 1.0, degrees, seed=1)
    assert set(found["backward"]) == {"hidden1->hidden2", "hidden2->output"}
    forward, backward = (found[way]["hidden1->hidden2"] for way in ("weights", "backward"))
    assert np.array_equal(np.abs(forward), np.abs(backward))
    cosine = (forward * backward).sum() / (forward**2).sum()
    assert cosine == pytest.approx(np.cos(np.radians(degrees)), abs=5 / np.sqrt(forward.size))
    assert "backward" not in initial_parameters(layered_rate((4,), [5], 3, RATE), [1.0], 1.0, degrees, seed=1)


def test_read_out_parameters_stand_apart() -> None:
    found = initial_parameters(layered_rate((4,), [5], 3, RATE, softmax=True), [1.0], 1.0, 0.0, seed=1)
    assert {name: values.shape for name, values in found["readout"].items()} == {"weights": (5, 3), "biases": (3,)}
    assert list(found["weights"]) == ["input->hidden"] and list(found["biases"]) == ["1"]


@pytest.mark.parametrize("kernel", [
    Kernel(channels=3, size=3, padding=1, pool="max"), Kernel(channels=2, size=2, padding=0, pool="none"),
    Kernel(channels=1, size=4, padding=2, pool="average"), Kernel(channels=1, size=1, padding=0, pool="max"),
])  # fmt: skip
@pytest.mark.parametrize("shape", [(7, 6, 2), (8, 5, 1)])
def test_uses_of_weights_at_borders_and_odd_maps(kernel: Kernel, shape) -> None:
    network: Network = layered_rate(shape, [kernel], 2, RATE)
    found = uses_below(network, network.projections[0])
    rows, columns, _ = (n * (1 if kernel.pool == "none" else 2) for n in network.layers[1].shape)
    expected = np.zeros(shape, int)
    for row in range(rows):
        for column in range(columns):
            for i in range(kernel.size):
                for j in range(kernel.size):
                    y, x = row + i - kernel.padding, column + j - kernel.padding
                    if 0 <= y < shape[0] and 0 <= x < shape[1]:
                        expected[y, x] += kernel.channels
    assert np.array_equal(found, expected)
    assert (uses_below(network, network.projections[1]) == 2).all()

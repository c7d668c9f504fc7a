"""Simulations as TOML says them."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.connectivity import FixedProbability
from eqspike.recipes import shipped_networks
from eqspike.training.simulation_spec import parse_simulation

SETTINGS = {
    "name": "some",
    "layers": [
        {"name": "in", "size": 5, "poisson": {"rate_hz": 100.0}},
        {"name": "out", "size": 3, "neuron": {"v_rest": -1.0, "v_reset": -2.0}, "initial": -1.5},
    ],
    "projections": [
        {"pre": "in", "post": "out", "connectivity": {"kind": "fixed-probability", "probability": 0.5}, "weight": 0.1}
    ],
}


def test_a_specification_is_its_network_its_inputs_and_its_start() -> None:
    spec = parse_simulation(SETTINGS)
    network = spec.network()
    assert [(layer.name, layer.kind) for layer in network.layers] == [("in", "source"), ("out", "lif")]
    assert network.projections[0].connectivity == FixedProbability(probability=0.5)
    assert spec.inputs()["in"].rate_hz == 100
    np.testing.assert_array_equal(spec.initial()["out"], [-1.5] * 3)


def test_drawn_potentials_belong_to_the_seed() -> None:
    layers = [SETTINGS["layers"][0], SETTINGS["layers"][1] | {"initial": {"kind": "uniform", "low": -2, "high": 0}}]
    drawn = [parse_simulation(SETTINGS | {"layers": layers, "seed": seed}).initial()["out"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.all(drawn[0] != drawn[2]) and drawn[0].min() >= -2 and drawn[0].max() < 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"layers": []}, "layers"),
        ({"layers": [SETTINGS["layers"][0] | {"spikes": {"times_s": [], "neurons": []}}]}, "layers.0"),
        ({"clock": {"kind": "clocked", "tick": 1}}, "clock.tick"),
        ({"rule": {"name": "pair-stdp", "w_min": 1.0, "w_max": 0.0}}, "rule"),
        ({"max_rate_hz": 0}, "max_rate_hz"),
    ],
)
def test_mistakes_name_their_key(change: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_simulation(SETTINGS | change)
    assert error.value.field == field


@pytest.mark.parametrize("name", shipped_networks())
def test_shipped_networks_are_complete(name: str) -> None:
    spec = parse_simulation(shipped_networks()[name])
    assert spec.name == name and spec.title
    assert len(spec.network().projections) == len(spec.projections)

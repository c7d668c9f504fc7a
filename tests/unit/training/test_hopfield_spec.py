"""What a recipe of an energy-based network may say, and what is told to somebody who says something else."""

from __future__ import annotations

import math

import pytest

from eqspike.core.errors import ConfigError
from eqspike.training.api import resolve
from eqspike.training.hopfield_spec import HopfieldSpec
from eqspike.training.specs import parse_spec

BASE = {
    "name": "rates",
    "substrate": "hopfield",
    "optimiser": {"learning_rates": [0.1, 0.1]},
    "network": {"hidden": [8]},
}
CONVOLUTION = {"hidden": [{"channels": 2, "pool": "average"}]}
HOLOMORPHIC, CONTINUAL = {"name": "holomorphic", "points": 4}, {"name": "continual"}


def test_the_defaults_run_and_survive_their_own_dump() -> None:
    spec = resolve(BASE)
    assert isinstance(spec, HopfieldSpec) and spec.rule.name == "ep"
    assert parse_spec(spec.model_dump(mode="json", exclude_none=True)) == spec
    mixed = resolve(BASE | {"network": {"hidden": [{"channels": 2}, 5]}, "optimiser": {"learning_rates": [0.1] * 3}})
    assert parse_spec(mixed.model_dump(mode="json", exclude_none=True)) == mixed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optimiser": {"learning_rates": [0.1]}}, "2 learning rates"),
        ({"probes": {"presentations": 1}}, "spiking networks only"),
        ({"probes": {"weight_trajectory": 1}}, "spiking networks only"),
        ({"rule": HOLOMORPHIC, "network": {"hidden": [8], "activation": "hard-sigmoid"}}, "smooth activations"),
        ({"rule": HOLOMORPHIC, "network": {"hidden": [8], "output_activation": "hard-sigmoid"}}, "smooth activations"),
        ({"rule": HOLOMORPHIC, "network": {"hidden": [{"channels": 2, "pool": "max"}]}}, "average pooling"),
        ({"rule": HOLOMORPHIC, "dynamics": {"clip": True}}, "cannot be clipped"),
        ({"rule": HOLOMORPHIC, "network": {"precision": 16, "hidden": [8]}}, "32 or 64 bits"),
        ({"network": {"readout": "softmax", "hidden": [8]}, "dynamics": {"nudge": "outside"}}, "nudged inside"),
        ({"rule": CONTINUAL, "network": CONVOLUTION}, "dense layers"),
        ({"rule": CONTINUAL, "network": {"readout": "softmax", "hidden": [8]}}, "no softmax"),
        ({"rule": CONTINUAL, "optimiser": {"learning_rates": [0.1, 0.1], "momentum": 0.5}}, "plain sgd"),
        ({"rule": CONTINUAL, "optimiser": {"learning_rates": [0.1, 0.1], "weight_decay": 0.5}}, "plain sgd"),
        ({"rule": CONTINUAL, "optimiser": {"learning_rates": [0.1, 0.1], "name": "adam"}}, "plain sgd"),
        ({"rule": CONTINUAL, "network": {"precision": 16, "hidden": [8]}}, "32 or 64 bits"),
        ({"dynamics": {"kind": "real-time"}, "network": {"precision": 16, "hidden": [8]}}, "32 or 64 bits"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(BASE | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": {"name": "holomorphic", "points": 2}, "network": {"hidden": [8], "activation": "hard-sigmoid"}},
        {"rule": HOLOMORPHIC, "network": CONVOLUTION},
        {"rule": CONTINUAL, "dynamics": {"kind": "real-time", "dt": 0.2}},
        {"network": {"readout": "softmax", "hidden": [8]}, "dynamics": {"update": "asynchronous"}},
    ],
)
def test_parts_that_go_together_are_not(changes: dict) -> None:
    resolve(BASE | changes)


@pytest.mark.parametrize(
    ("key", "value", "field", "said"),
    [
        ("network.hiden", [8], "network.hiden", "Did you mean 'hidden'"),
        ("network.hidden", [0], "network", "1 to 1,000,000"),
        ("network.hidden", [8, {"channels": 2}], "network", "convolutions come before"),
        ("network.gains", [1.0, 1.0, 1.0], "network", "one gain for all projections, or 2"),
        ("network.precision", 8, "network.precision", "16"),
        ("network.feedback_angle_degrees", 181, "network.feedback_angle_degrees", "less than or equal to 180"),
        ("network.activation", "relu", "network.activation", "sigmoid"),
        ("dynamics.dt", 0, "dynamics.dt", "greater than 0"),
        ("dynamics.free_steps", 0, "dynamics.free_steps", "greater than or equal to 1"),
        ("dynamics.tolerance", -1, "dynamics.tolerance", "greater than or equal to 0"),
        ("rule.name", "hebbian", "rule.name", "there is no 'hebbian'"),
        ("rule.beta", -1, "rule.beta", "greater than 0"),
        ("training.batch", 0, "training.batch", "greater than or equal to 1"),
        ("optimiser.schedule", "linear", "optimiser.schedule", "cosine"),
        ("optimiser.decay", 0, "optimiser.decay", "greater than 0"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: object, field: str, said: str) -> None:
    settings = BASE | {"rule": {"name": "ep"}}
    with pytest.raises(ConfigError) as caught:
        resolve(settings, {key: value})
    assert caught.value.field == field
    assert said in str(caught.value)


def test_learning_rates_must_be_given() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({"name": "rates", "substrate": "hopfield"})
    assert caught.value.field == "optimiser"


def test_schedules() -> None:
    def scales(**settings) -> list[float]:
        spec = resolve(BASE | {"optimiser": {"learning_rates": [0.1, 0.1]} | settings, "training": {"epochs": 4}})
        return [spec.rate_scale(epoch) for epoch in range(6)]

    assert scales() == [1.0] * 6
    assert scales(schedule="exponential", decay=0.5) == [0.5**k for k in range(6)]
    expected = [0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * min(1, k / 4))) for k in range(6)]
    assert scales(schedule="cosine", final=0.2) == pytest.approx(expected)
    shorter = [0.5 * (1 + math.cos(math.pi * min(1, k / 2))) for k in range(6)]
    assert scales(schedule="cosine", period=2) == pytest.approx(shorter, abs=1e-7)


def test_networks_grow_with_padded_images() -> None:
    spec = resolve(BASE | {"images": {"size": 10}})
    assert spec.build_network((8, 8), 3).layers[0].shape == (10, 10, 1)
    assert spec.build_network((8, 8, 3), 3).layers[0].shape == (10, 10, 3)
    assert resolve(BASE).build_network((8, 8), 3).layers[0].size == 64

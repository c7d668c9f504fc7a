"""What a recipe of a network of binary weights may say, and what is told to somebody who says something else."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.training.api import resolve
from eqspike.training.binary_spec import BinarySpec
from eqspike.training.specs import parse_spec

RULE = {"name": "binary-ep", "low_passes": [0.1, 0.1], "flip_thresholds": [0.1, 0.1], "bias_rates": [0.1, 0.1]}
BASE = {"name": "bits", "substrate": "binary", "network": {"hidden": [8]}, "rule": RULE}
PER_PROJECTION = ("low_passes", "flip_thresholds", "bias_rates")


def refused(changes: dict) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve(BASE, changes)
    return caught.value


def test_the_defaults_run_and_survive_their_own_dump() -> None:
    spec = resolve(BASE)
    assert isinstance(spec, BinarySpec) and spec.rule.name == "binary-ep"
    assert (spec.batch, spec.precision, spec.rate_scale(7)) == (64, 32, 1.0)
    assert parse_spec(spec.model_dump(mode="json", exclude_none=True)) == spec
    deep = {"low_passes": [0.1] * 3, "flip_thresholds": [0.1] * 3, "bias_rates": [0.0] * 3, "scale_rates": [0.1] * 3}
    mixed = resolve(BASE | {"network": {"hidden": [{"channels": 2, "pool_size": 3}, 5]}, "rule": deep})
    assert parse_spec(mixed.model_dump(mode="json", exclude_none=True)) == mixed


@pytest.mark.parametrize("name", [*PER_PROJECTION, "scale_rates"])
@pytest.mark.parametrize("length", [1, 3])
def test_a_list_has_one_value_a_projection(name: str, length: int) -> None:
    error = refused({f"rule.{name}": [0.1] * length})
    assert f"rule.{name} needs 2 values" in str(error)


@pytest.mark.parametrize("name", PER_PROJECTION)
def test_deeper_networks_need_longer_lists(name: str) -> None:
    given = {f"rule.{other}": [0.1] * 3 for other in PER_PROJECTION if other != name}
    error = refused({"network.hidden": [8, 8]} | given)
    assert f"rule.{name} needs 3 values" in str(error)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("low_passes", 0.0, "between 0 and 1"),
        ("low_passes", 1.0, "between 0 and 1"),
        ("low_passes", -0.1, "between 0 and 1"),
        ("flip_thresholds", 0.0, "above 0"),
        ("flip_thresholds", -1e-9, "above 0"),
        ("bias_rates", -1e-9, "0 or more"),
        ("scale_rates", -1e-9, "0 or more"),
    ],
)
def test_a_value_out_of_range_is_named(name: str, value: float, said: str) -> None:
    for place in (0, 1):
        values = [0.1, 0.1]
        values[place] = value
        error = refused({f"rule.{name}": values})
        assert f"rule.{name} must be {said}" in str(error)


def test_scales_that_are_learnt_need_their_rates() -> None:
    assert "rule.scale_rates needs 2 values" in str(refused({"rule.learn_scales": True}))
    assert resolve(BASE, {"rule.learn_scales": True, "rule.scale_rates": [0.0, 0.1]}).rule.learn_scales


@pytest.mark.parametrize(
    ("key", "value", "field", "said"),
    [
        ("network.hiden", [8], "network.hiden", "Did you mean 'hidden'"),
        ("network.hidden", [], "network.hidden", "at least 1"),
        ("network.hidden", [0], "network", "1 to 1,000,000"),
        ("network.hidden", [8, {"channels": 2}], "network", "convolutions come before"),
        ("network.hidden", [{"channels": 2, "pool": "average"}], "network.hidden.0.pool", "none"),
        ("network.expand", 0, "network.expand", "greater than or equal to 1"),
        ("network.bias_gain", -1, "network.bias_gain", "greater than or equal to 0"),
        ("dynamics.activation", "ternary", "dynamics.activation", "binary"),
        ("dynamics.threshold", 0, "dynamics.threshold", "greater than 0"),
        ("dynamics.threshold", 1, "dynamics.threshold", "less than 1"),
        ("dynamics.inertia", 0, "dynamics.inertia", "greater than 0"),
        ("dynamics.inertia", 1.5, "dynamics.inertia", "less than or equal to 1"),
        ("dynamics.free_steps", 0, "dynamics.free_steps", "greater than or equal to 1"),
        ("dynamics.nudged_steps", 0, "dynamics.nudged_steps", "greater than or equal to 1"),
        ("dynamics.stop", "early", "dynamics.stop", "rest"),
        ("rule.beta", 0, "rule.beta", "greater than 0"),
        ("rule.name", "ep", "rule.name", "binary-ep"),
        ("rule.flip_threshold", [0.1], "rule.flip_threshold", "Did you mean 'flip_thresholds'"),
        ("training.batch", 0, "training.batch", "greater than or equal to 1"),
        ("training.epochs", -1, "training.epochs", "greater than or equal to 0"),
        ("probes.presentations", 1, "", "spiking networks only"),
        ("probes.weight_trajectory", 1, "", "spiking networks only"),
        ("optimiser", {}, "optimiser", "no such setting"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: object, field: str, said: str) -> None:
    error = refused({key: value})
    assert error.field == field
    assert said in str(error)


def test_a_rule_must_be_given() -> None:
    with pytest.raises(ConfigError, match="missing") as caught:
        resolve({"name": "bits", "substrate": "binary"})
    assert caught.value.field == "rule"


def test_outputs_are_expanded_and_code_is_compiled_by_activation() -> None:
    spec = resolve(BASE, {"network.expand": 3})
    network = spec.build_network((4, 5), 7)
    assert [layer.size for layer in network.layers] == [20, 8, 21]
    assert spec.build_substrate(network, (4, 5)).classes == 7
    assert spec.kernels() != resolve(BASE, {"dynamics.activation": "real"}).kernels()


@pytest.mark.parametrize(
    ("name", "sizes", "activation"),
    [("binary-ep-a-4096", [784, 4096, 10], "real"), ("binary-ep-b-8192", [784, 8192, 100], "binary")],
)
def test_the_published_networks(name: str, sizes: list, activation: str) -> None:
    spec = resolve(name)
    assert [layer.size for layer in spec.build_network((28, 28), 10).layers] == sizes
    assert spec.dynamics.activation == activation

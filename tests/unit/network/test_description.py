"""Descriptions of networks: what is refused, with the field named, and what ``layered`` builds."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.network.initialisers import glorot_uniform
from eqspike.network.layered import layered

SYNAPSE = Synapse(learning_rate=0.1)
LAYERS = (Layer("input", 4, "source"), Layer("hidden", 3, "lif", Neuron()), Layer("output", 2, "lif", Neuron()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0),
        ("threshold", float("nan")),
        ("threshold", "high"),
        ("leak", -0.1),
        ("leak", 1.0),
        ("reset", "medium"),
        ("refractory_ticks", -1),
        ("refractory_ticks", 1.5),
        ("v_max", float("inf")),
    ],
)
def test_neuron_fields_out_of_range_are_named(field: str, value) -> None:
    with pytest.raises(ConfigError) as error:
        Neuron.parse({field: value}, origin="recipe.toml")
    assert error.value.field == f"recipe.toml: {field}"
    assert repr(value) in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"v_min": 0.5, "v_max": 0.5}, "v_min must lie below v_max"),
        ({"v_min": 0.2}, "resting potential"),
        ({"v_max": -0.2}, "resting potential"),
        ({"reset_value": 1.0}, "reset_value must lie below threshold"),
    ],
)
def test_neuron_fields_that_contradict_each_other(settings: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Neuron.parse(settings)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "learning_rate"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"learning_rate": 1, "commit": "later"}, "commit"),
        ({"learning_rate": 1, "tau_synapse_ticks": -2}, "tau_synapse_ticks"),
        ({"learning_rate": 1, "gain": -1}, "gain"),
        ({"learning_rate": 1, "plastic": "perhaps"}, "plastic"),
        ({"learning_rate": 1, "w_min": "low"}, "w_min"),
        ({"learning_rate": 1, "weigth_max": 1}, "weigth_max"),
    ],
)
def test_synapse_fields_are_named(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        Synapse.parse(settings)
    assert error.value.field == field


def test_synapse_bounds_must_be_ordered() -> None:
    with pytest.raises(ConfigError, match="w_min must lie below w_max"):
        Synapse.parse({"learning_rate": 0, "w_min": 1, "w_max": 1})


def test_a_misspelt_field_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'threshold'"):
        Neuron.parse({"treshold": 1})


@pytest.mark.parametrize(
    ("projection", "field", "words"),
    [
        (Projection("input", "middle", SYNAPSE), "input->middle", "no layer 'middle'"),
        (Projection("start", "output", SYNAPSE), "start->output", "no layer 'start'"),
        (Projection("hidden", "input", SYNAPSE), "hidden->input", "receives nothing"),
        (Projection("input", "hidden", SYNAPSE, symmetric=True), "input->hidden", "cannot be driven back"),
    ],
)
def test_projections_that_cannot_be_are_named(projection: Projection, field: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        Network(LAYERS, (projection,))
    assert error.value.field == field
    assert error.value.remedy


def test_names_and_projections_are_unique() -> None:
    with pytest.raises(ConfigError, match="same name"):
        Network((*LAYERS, Layer("hidden", 1, "lif", Neuron())), ())
    twice = (Projection("input", "hidden", SYNAPSE), Projection("input", "hidden", SYNAPSE))
    with pytest.raises(ConfigError, match="same layers"):
        Network(LAYERS, twice)


@pytest.mark.parametrize(("encoding", "kind"), [("static", "static"), ("regular", "source"), ("poisson", "source")])
def test_layered_is_symmetric_between_neurons_only(encoding: str, kind: str) -> None:
    synapses = [Synapse(learning_rate=rate) for rate in (0.1, 0.2, 0.3)]
    network = layered([5, 4, 3, 2], encoding, Neuron(leak=0.1), synapses)
    assert [(layer.name, layer.size, layer.kind) for layer in network.layers] == [
        ("input", 5, kind),
        ("hidden1", 4, "lif"),
        ("hidden2", 3, "lif"),
        ("output", 2, "lif"),
    ]
    assert [p.name for p in network.projections] == ["input->hidden1", "hidden1->hidden2", "hidden2->output"]
    assert [p.symmetric for p in network.projections] == [False, True, True]
    assert [p.synapse.learning_rate for p in network.projections] == [0.1, 0.2, 0.3]
    assert network.synapses == 5 * 4 + 4 * 3 + 3 * 2
    assert network.layer("hidden2").neuron == Neuron(leak=0.1)


def test_layered_names_one_hidden_layer_plainly() -> None:
    assert [layer.name for layer in layered([2, 2, 2], "static", Neuron(), [SYNAPSE] * 2).layers] == [
        "input",
        "hidden",
        "output",
    ]


def test_glorot_weights_fill_their_interval_evenly() -> None:
    weights = glorot_uniform(60, 40, 0.5, seed=3, index=0)
    limit = 0.5 * np.sqrt(6 / 100)
    assert weights.shape == (60, 40)
    assert limit * 0.99 < np.abs(weights).max() <= limit
    assert abs(weights.mean()) < 4 * limit / np.sqrt(3 * weights.size)
    assert weights.var() == pytest.approx(limit**2 / 3, rel=0.1)


def test_glorot_streams_belong_to_seed_and_projection() -> None:
    base = glorot_uniform(4, 4, 1.0, seed=3, index=0)
    assert np.array_equal(base, glorot_uniform(4, 4, 1.0, seed=3, index=0))
    assert np.all(base != glorot_uniform(4, 4, 1.0, seed=3, index=1))
    assert np.all(base != glorot_uniform(4, 4, 1.0, seed=4, index=0))


@pytest.mark.parametrize(
    ("layers", "field", "said"),
    [
        ((), "network", "at least one layer"),
        ((LAYERS[1], Layer("input", 4, "static")), "input", "only the first"),
        ((Layer("input", 0, "source"), LAYERS[1]), "input", "0 neurons"),
        ((LAYERS[0], Layer("hidden", 3, "lif")), "hidden", "needs a neuron"),
        ((Layer("input", 4, "analog"), LAYERS[1]), "input", "no kind"),
    ],
)
def test_layers_that_cannot_be_run_are_refused(layers: tuple, field: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        Network(layers, ())
    assert error.value.field == field


def test_layered_wants_a_synapse_setting_for_every_projection() -> None:
    with pytest.raises(ConfigError, match="3 layers need 2"):
        layered([4, 3, 2], "static", Neuron(), [SYNAPSE])

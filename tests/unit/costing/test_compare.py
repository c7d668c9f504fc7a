"""Runs beside their opponents: what size an opponent has, and what happens where it never gets there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eqspike.core.errors import ConfigError
from eqspike.costing.compare import compare, hidden_sizes
from eqspike.training.api import load_data, resolve, train
from hw_models import load_chip

PERCEPTRON = {
    "name": "own",
    "substrate": "feedforward",
    "data": {"name": "digits", "train_limit": 100, "test_limit": 50},
    "network": {"hidden": [6], "weights": "quantised", "weight_bits": 4},
    "rule": {"name": "backprop", "learning_rate": 3e-3},
    "training": {"epochs": 2, "batch": 20},
}


def test_an_opponent_has_the_layers_of_the_run_or_as_many_weights() -> None:
    dense = resolve(PERCEPTRON | {"network": {"hidden": [6, 5]}}).build_network((8, 8), 10)
    assert hidden_sizes(SimpleNamespace(network=dense)) == (6, 5)
    convolutional = resolve("hopfield-conv-fashion").build_network((28, 28), 10)
    (hidden,) = hidden_sizes(SimpleNamespace(network=convolutional))
    assert hidden * (784 + 10) == pytest.approx(convolutional.synapses, abs=(784 + 10) / 2)


def test_an_opponent_that_never_gets_there_is_compared_by_the_sample() -> None:
    run = train(PERCEPTRON)
    run.results["test_accuracy"] = 1.01
    found = compare(run, load_data(run.spec), [load_chip("generic-45nm")], epochs=2)
    assert found.trained.bits == 4 and found.trained.network.sizes == (64, 6, 10)
    ratios = found.comparisons[0].ratios
    assert ratios["to_accuracy"] is None and ratios["training_sample"].value > 0
    assert found.to_dict()["perceptron"]["samples_to_accuracy"] is None


def test_a_run_of_several_tasks_has_no_such_opponent() -> None:
    run = train(PERCEPTRON | {"tasks": {"kind": "permuted", "count": 2}})
    with pytest.raises(ConfigError, match="several tasks"):
        compare(run, load_data(run.spec), [load_chip("generic-45nm")])

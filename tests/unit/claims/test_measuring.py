"""What a run's record holds beside training: the agreement of its rule with the true gradient."""

from __future__ import annotations

import json

import pytest

from eqspike.claims.measuring import measure
from eqspike.claims.schema import GRADIENT_QUANTITIES, TRAINING_QUANTITIES
from eqspike.training.api import resolve
from eqspike.training.spec import RunSpec

SMALL = {
    "name": "small",
    "substrate": "hopfield",
    "data": {"name": "digits", "train_limit": 40, "test_limit": 20},
    "network": {"hidden": [6]},
    "rule": {"name": "ep", "nudging": "centered"},
    "optimiser": {"learning_rates": [0.5, 0.5]},
}


def small(epochs: int) -> RunSpec:
    return resolve(SMALL, {"training.epochs": epochs})


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_case_of_gradients_has_the_slope_of_its_own_rule(epochs: int) -> None:
    record = measure(small(epochs), kind="gradients")
    assert record["status"] == "complete", record
    assert set(record["results"]) >= {*GRADIENT_QUANTITIES, "test_accuracy"}
    assert record["results"]["gradient_slope"] == pytest.approx(2, abs=0.02)
    assert 0 < record["results"]["gradient_relative_error"] < 0.1
    assert 0 < record["results"]["gradient_angle_degrees"] < 10
    json.dumps(record, allow_nan=False)


def test_training_alone_measures_no_gradients() -> None:
    assert set(measure(small(1))["results"]) == set(TRAINING_QUANTITIES)


def test_the_weights_after_training_are_what_is_compared() -> None:
    before, after = (measure(small(n), kind="gradients")["results"]["gradient_relative_error"] for n in (0, 1))
    assert before != pytest.approx(after, rel=0.01)


def test_a_spiking_run_has_no_gradient() -> None:
    spec = resolve("eqspike-digits", {"data.train_limit": 5, "data.test_limit": 5, "training.epochs": 1})
    record = measure(spec, kind="gradients")
    assert record["status"] == "failed" and "no smooth energy" in record["error"]

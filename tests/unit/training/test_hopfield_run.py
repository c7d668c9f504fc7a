"""Small runs of energy-based networks: they learn, come back from their file, and have a price."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import eqspike
from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS
from eqspike.costing.run import workload_of
from eqspike.training.run import open_run

DIGITS = {
    "name": "digits-rates",
    "substrate": "hopfield",
    "network": {"hidden": [32]},
    "dynamics": {"free_steps": 15, "nudged_steps": 6},
    "rule": {"name": "ep", "beta": 0.2},
    "optimiser": {"learning_rates": [0.15, 0.08]},
    "training": {"epochs": 5},
}
DENSE_HOPFIELD = {"hidden": [32], "activation": "hard-sigmoid", "output_activation": "identity", "gains": [0.5]}
MAPS = {"hidden": [{"channels": 6, "pool": "average"}], "activation": "sigmoid", "output_activation": "identity"}
SMALL = {"name": "digits", "train_limit": 600}
# The share of the test digits that each family must reach within its few epochs; chance is 10 %.
FAMILIES = {
    "prototypical": ({"dynamics": {"nudge": "outside", "free_steps": 15, "nudged_steps": 6}}, 0.85),
    "centered Hopfield in turn": (
        {
            "network": DENSE_HOPFIELD,
            "dynamics": {"update": "asynchronous", "free_steps": 8, "nudged_steps": 4, "persistent": "sample"},
            "rule": {"name": "ep", "beta": 0.5, "nudging": "centered"},
            "optimiser": {"learning_rates": [0.05, 0.03], "momentum": 0.8},
        },
        0.85,
    ),
    "continual in real time": (
        {
            "dynamics": {"kind": "real-time", "dt": 0.4, "free_steps": 15, "nudged_steps": 6},
            "network": {"hidden": [32], "activation": "tanh", "output_activation": "identity"},
            "rule": {"name": "continual", "beta": 0.5},
            "optimiser": {"learning_rates": [0.04, 0.04]},
        },
        0.8,
    ),
    "coupled": ({"network": DENSE_HOPFIELD, "rule": {"name": "coupled", "beta": 0.5, "nudging": "centered"}}, 0.8),
    "holomorphic": ({"rule": {"name": "holomorphic", "beta": 0.4, "points": 4}}, 0.85),
    "convolution, read-out": (
        {
            "network": MAPS | {"readout": "softmax"},
            "data": SMALL,
            "rule": {"name": "ep", "beta": 0.5, "nudging": "centered"},
            "optimiser": {"learning_rates": [0.01, 0.01], "name": "adam"},
        },
        0.8,
    ),
    "separate ways": (
        {
            "network": {"hidden": [32], "feedback": "separate", "feedback_angle_degrees": 60.0},
            "rule": {"name": "ep", "beta": 0.2, "feedback": "kolen-pollack", "random_sign": True},
        },
        0.8,
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_learns_the_digits(name: str) -> None:
    changes, least = FAMILIES[name]
    run = eqspike.train(DIGITS | changes)
    assert run.test_accuracy > least
    assert run.substrate.unsettled == {"free": 0, "nudged": 0, "inference": 0}


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> eqspike.Run:
    path = tmp_path_factory.mktemp("runs") / "run.h5"
    hidden = [{"channels": 2, "padding": 0}, 5]
    return eqspike.train(
        DIGITS | {"network": {"hidden": hidden, "feedback": "separate"}, "optimiser": {"learning_rates": [0.1] * 3}},
        out=path, data__train_limit=40, data__test_limit=20, training__epochs=1,
    )  # fmt: skip


def test_a_run_comes_back_from_its_file_as_it_was(stored) -> None:
    again = open_run(stored.path)
    assert again.spec == stored.spec and again.results == stored.results
    assert again.ledger.to_dict() == stored.ledger.to_dict()
    assert again.weights["input->hidden1"].shape == (3, 3, 1, 2)
    for found, expected in zip(again.substrate.get_weights(), stored.substrate.get_weights(), strict=True):
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
    for name, values in stored.substrate.training_state().items():
        assert np.array_equal(again.substrate.training_state()[name], values), name
    images = eqspike.load_dataset("digits").x_test[:50]
    assert np.array_equal(again.substrate.infer(images), stored.substrate.infer(images, counted=False))


def test_a_run_has_a_price_that_keeps_every_count(stored) -> None:
    workload = workload_of(stored)
    for phase in ("free", "nudged", "inference"):
        for counter in {*LAYER_COUNTERS, *PROJECTION_COUNTERS}:
            assert workload.total(phase, counter) == stored.ledger.total(phase, counter), (phase, counter)
    report = eqspike.price(stored)
    assert report.energy("free").value > report.energy("inference").value > 0
    assert report.energy("nudged").value > 0
    assert stored.results["spikes_per_inference"] == 0
    assert stored.results["macs_per_inference"] * 20 == stored.ledger.total("inference", "macs")


@pytest.mark.parametrize("missing", ["jax", "optax"])
def test_without_jax_the_extra_is_named(missing: str) -> None:
    """A finder that knows no jax stands for an environment without it."""
    code = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name={missing!r})
sys.meta_path.insert(0, Without())
import eqspike
from eqspike.core.errors import ConfigError
assert eqspike.resolve("ep-512").name == "ep-512"
try:
    eqspike.train({DIGITS!r})
except ConfigError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"need {missing}" in found.stdout and "eqspike[jax]" in found.stdout

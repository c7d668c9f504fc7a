"""Small runs of networks of binary weights: they learn, report their flips and bits, and have a price."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import eqspike
from eqspike.cli.app import app
from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS
from eqspike.costing.run import workload_of
from eqspike.training.run import open_run

DIGITS = {
    "name": "digits-bits",
    "substrate": "binary",
    "data": {"name": "digits"},
    "training": {"epochs": 4, "batch": 32},
}
REAL = DIGITS | {
    "network": {"hidden": [128]},
    "dynamics": {"activation": "real", "free_steps": 20, "nudged_steps": 8},
    "rule": {
        "name": "binary-ep",
        "beta": 0.3,
        "low_passes": [1e-3, 1e-4],
        "flip_thresholds": [2e-5, 2e-5],
        "bias_rates": [0.05, 0.025],
    },
}
BINARY = DIGITS | {
    "network": {"hidden": [512], "expand": 4},
    "dynamics": {"free_steps": 12, "nudged_steps": 6},
    "rule": {
        "name": "binary-ep",
        "beta": 2.0,
        "low_passes": [1e-3, 1e-3],
        "flip_thresholds": [1e-4, 1e-4],
        "bias_rates": [1e-7, 1e-7],
    },
}
TINY = """
name = "tiny-bits"
substrate = "binary"
tick_s = 1e-6

[data]
name = "digits"
train_limit = 60
test_limit = 20

[network]
hidden = [32]
expand = 2

[dynamics]
free_steps = 6
nudged_steps = 4

[rule]
name = "binary-ep"
low_passes = [0.1, 0.1]
flip_thresholds = [1e-3, 1e-3]
bias_rates = [1e-3, 1e-3]

[training]
epochs = 1
batch = 8
"""


@pytest.mark.parametrize(("settings", "least"), [(REAL, 0.8), (BINARY, 0.75)], ids=["real", "binary, expanded"])
def test_the_digits_are_learnt(settings: dict, least: float) -> None:
    run = eqspike.train(settings)
    assert run.test_accuracy > least
    assert run.results["weight_flips_per_training_sample"] > 0
    assert run.results["macs_per_inference"] == run.results["macs_per_training_sample"] == 0


def test_the_command_reports_flips_and_bits(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    result = CliRunner().invoke(app, ["train", "tiny.toml", "--out", "run.h5", "--json"])
    assert result.exit_code == 0, result.stderr
    said, run = json.loads(result.stdout), open_run("run.h5")
    assert said["weight_flips_per_training_sample"] * 60 == run.ledger.total("nudged", "weight_flips") > 0
    # 64 x 32 and 32 x 20 bits, two scales with their units, 32 + 20 biases of which the output's fill a word.
    assert said["bits_per_weight"] == (64 * 32 + 20 * 32 + 32 * (4 + 32 + 32)) / (64 * 32 + 32 * 20)
    assert said["training_bits_per_weight"] == said["bits_per_weight"] + 32
    assert said["accumulator_writes_per_training_sample"] > 0
    assert said["energy_per_inference_j"]["value"] > 0


def test_the_command_refuses_in_one_message(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    for setting, said in (
        ("rule.low_passes=[0.1]", "rule.low_passes needs 2 values"),
        ("dynamics.inertia=2", "inertia"),
    ):
        result = CliRunner().invoke(app, ["train", "tiny.toml", "--set", setting])
        assert result.exit_code == 2 and result.stdout == ""
        assert said in result.stderr and len(result.stderr.splitlines()) == 1
    images = np.full((8, 16), 2.0)
    np.savez(tmp_path / "bright.npz", x_train=images, y_train=np.arange(8) % 2, x_test=images, y_test=np.arange(8) % 2)
    result = CliRunner().invoke(app, ["train", "tiny.toml", "--dataset", "bright.npz", "--set", "data.scale=1.0"])
    assert result.exit_code == 2 and "images" in result.stderr


def test_a_run_has_a_price_that_keeps_every_count() -> None:
    run = eqspike.train(BINARY, data__train_limit=40, data__test_limit=20, training__epochs=1, network__hidden=[40])
    workload = workload_of(run)
    for phase in ("free", "nudged", "inference"):
        for counter in {*LAYER_COUNTERS, *PROJECTION_COUNTERS}:
            assert workload.total(phase, counter) == run.ledger.total(phase, counter), (phase, counter)
    assert {shape.weight_bits for shape in workload.projections if "bias" not in shape.name} == {1}
    report = eqspike.price(run)
    assert report.energy("free").value > report.energy("inference").value > 0
    assert report.energy("nudged").value > 0
    assert run.results["spikes_per_inference"] * 20 == run.ledger.total("inference", "spikes") > 0

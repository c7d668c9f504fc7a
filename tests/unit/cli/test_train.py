from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eqspike.recording import read_run, read_summary

NUMBERS = (
    "test_accuracy",
    "validation_accuracy",
    "train_accuracy",
    "epochs",
    "seconds_per_epoch",
    "spikes_per_inference",
    "synaptic_events_per_inference",
    "synaptic_events_per_training_sample",
    "weight_writes_per_training_sample",
)
ENERGIES = ("energy_per_inference_j", "energy_per_training_sample_j", "energy_per_synaptic_event_j")


def test_the_document_holds_every_promised_key(said):
    for key in NUMBERS:
        assert isinstance(said[key], int | float), key
    for key in ENERGIES:
        assert set(said[key]) == {"value", "low", "high"}
        assert 0 < said[key]["low"] <= said[key]["value"] <= said[key]["high"]
    assert said["chip"] == "generic-45nm"
    for key in ("recipe", "seed", "dataset", "device", "node_nm", "vdd", "tick_s", "energy_includes", "not_modelled"):
        assert said[key], key


def test_the_document_agrees_with_the_run_file(said, run_file):
    stored = read_run(run_file)
    assert said["test_accuracy"] == stored.results["test_accuracy"]
    layers = stored.ledger["phases"]["inference"]["layers"]
    spikes = sum(row[0] for row in layers)
    assert said["spikes_per_inference"] == pytest.approx(spikes / 40)
    assert said["energy_per_synaptic_event_j"]["value"] == pytest.approx(
        said["energy_per_inference_j"]["value"] / said["synaptic_events_per_inference"]
    )


def test_run_file_and_figure_lie_where_the_document_says(invoke):
    said = json.loads(invoke("train", "tiny.toml", "--seed", 3, "--json").stdout)
    assert (said["run_file"], said["stdp_figure"]) == ("runs/tiny-seed3.h5", "runs/tiny-seed3-stdp.png")
    assert read_summary(said["run_file"]).config["seed"] == 3
    assert Path(said["stdp_figure"]).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_second_run_takes_the_next_free_number(invoke, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/tiny-seed1.h5").write_text("mine")
    (tmp_path / "runs/tiny-seed1-2-stdp.png").write_text("mine too")
    said = json.loads(invoke("train", "tiny.toml", "--json").stdout)
    assert said["run_file"] == "runs/tiny-seed1-3.h5"
    assert (tmp_path / "runs/tiny-seed1.h5").read_text() == "mine"


def test_the_table_says_what_a_reader_needs(invoke):
    result = invoke("train", "tiny.toml", "--out", "a b.h5")
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    for words in (
        "test accuracy", "validation", "spikes", "synaptic events", "per training sample", "energy per synaptic event",
        "generic-45nm: digital CMOS", "45 nm, 0.9 V", "tick 1 ms (the recipe's)", "static: leakage", "run file a b.h5",
        "STDP figure a b-stdp.png", "eqspike energy 'a b.h5' --chip eqspike-analog-65nm",
    ):  # fmt: skip
        assert words in said, words
    assert "preparing kernels" in result.stderr
    assert "epoch 1/1" in result.stderr


def test_an_existing_file_is_replaced_only_by_force(invoke, tmp_path):
    for existing in ("out.h5", "out-stdp.png"):
        (tmp_path / existing).write_text("precious")
        refused = invoke("train", "tiny.toml", "--out", "out.h5")
        assert refused.exit_code == 2
        assert f"{existing}: the file exists already. Replace it with --force" in refused.stderr
        assert (tmp_path / existing).read_text() == "precious"
        assert invoke("train", "tiny.toml", "--out", "out.h5", "--force").exit_code == 0
        assert (tmp_path / existing).read_bytes()[:8] != b"precious"
        for file in tmp_path.glob("out*"):
            file.unlink()


def test_a_forced_run_that_fails_leaves_the_old_file(invoke, run_file):
    before = run_file.read_bytes()
    result = invoke("train", "tiny.toml", "--out", run_file, "--force", "--dataset", "nowhere.npz")
    assert result.exit_code == 2
    assert run_file.read_bytes() == before


def test_settings_reach_the_run(invoke):
    changes = ("--set", "network.hidden=[5, 4]", "--set", "network.projections=[{learning_rate=0}, "
               "{learning_rate=0}, {learning_rate=0}]", "--epochs", 2)  # fmt: skip
    said = json.loads(invoke("train", "tiny.toml", *changes, "--json").stdout)
    stored = read_run(said["run_file"])
    assert stored.config["training"]["epochs"] == said["epochs"] == 2
    assert sorted(w.shape for w in stored.weights.values()) == [(4, 10), (5, 4), (64, 5)]
    assert said["weight_writes_per_training_sample"] == 0


def test_no_epochs_leave_gaps_not_zeros(invoke):
    said = json.loads(invoke("train", "tiny.toml", "--epochs", 0, "--json").stdout)
    assert said["energy_per_training_sample_j"] is None
    assert said["seconds_per_epoch"] is None
    result = invoke("train", "tiny.toml", "--epochs", 0)
    assert result.exit_code == 0, result.stderr


def test_the_network_follows_your_own_data(invoke, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 3
    images = rng.integers(0, 255, (40, 5, 6), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    result = invoke("train", "tiny.toml", "--dataset", "own.npz", "--out", "own.h5", "--json")
    assert result.exit_code == 0, result.stderr
    stored = read_run("own.h5")
    assert stored.weights["input->hidden"].shape == (30, 8)
    assert stored.weights["hidden->output"].shape == (8, 3)
    assert json.loads(result.stdout)["dataset"] == "own.npz"


def test_a_run_on_your_own_data_goes_on_from_another_folder(invoke, tmp_path, monkeypatch):
    labels = np.arange(20) % 2
    images = np.linspace(0, 1, 20 * 4).reshape(20, 4)
    np.savez(tmp_path / "own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    assert invoke("train", "tiny.toml", "--dataset", "own.npz", "--out", "own.h5").exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = invoke_here("train", "--resume", tmp_path / "own.h5", "--epochs", 2, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["epochs"] == 2


def invoke_here(*arguments):
    from typer.testing import CliRunner

    from eqspike.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_more_epochs_for_a_complete_run(invoke, run_file):
    result = invoke("train", "--resume", run_file, "--epochs", 3, "--chip", "eqspike-analog-65nm", "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["epochs"], said["chip"], said["run_file"]) == (3, "eqspike-analog-65nm", str(run_file))
    assert read_summary(run_file).progress["epoch"] == 3


@pytest.mark.parametrize(
    "options, named",
    [
        (("tiny.toml",), "RECIPE"),
        (("--set", "seed=2"), "--set"),
        (("--seed", 2), "--seed"),
        (("--dataset", "digits"), "--dataset"),
        (("--out", "b.h5"), "--out"),
        (("--force",), "--force"),
        (("--seed", 0, "--set", "a=1"), "--set, --seed"),
    ],
)
def test_resuming_refuses_what_would_change_the_run(invoke, run_file, options, named):
    before = run_file.read_bytes()
    result = invoke("train", "--resume", run_file, "--epochs", 2, *options)
    assert result.exit_code == 2
    assert f"error: --resume: {named} cannot change a run that has begun." in result.stderr
    assert run_file.read_bytes() == before

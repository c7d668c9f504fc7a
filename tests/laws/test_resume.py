"""A run that was killed and resumed ends bit-identical to one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from eqspike.core.errors import RunFileError
from eqspike.recording import RunContent, read_run, read_summary
from eqspike.training.api import train

N_TRAIN, EPOCHS = 5_000, 3


@pytest.fixture
def recipe(tmp_path) -> dict:
    """A small network with enough samples for an epoch of many checkpoints."""
    draw = np.random.default_rng(5)
    labels = draw.permutation(np.arange(N_TRAIN) % 4)
    prototypes = draw.uniform(0, 1, (4, 36))
    images = np.clip(prototypes[labels] + draw.normal(0, 0.2, (N_TRAIN, 36)), 0, 1)
    path = tmp_path / "data.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:500], y_test=labels[:500])
    return {
        "name": "killed",
        "data": {"name": str(path)},
        "network": {"hidden": [12], "projections": [{"learning_rate": 0.02}, {"learning_rate": 0.01}]},
        "rule": {"tau_ticks": 10, "delay_ticks": 10},
        "phases": {"free_ticks": 120, "nudged_ticks": 80, "readout_ticks": 60},
        "training": {"epochs": EPOCHS, "rate_decay": 0.8, "checkpoint_s": 0.01},
        "probes": {"weight_trajectory": 4, "trajectory_points": 3},
    }


def test_killed_in_mid_epoch_and_resumed_is_bit_identical(recipe, tmp_path):
    train(recipe, out=tmp_path / "whole.h5")
    (tmp_path / "recipe.toml").write_text(as_toml(recipe))
    killed = tmp_path / "killed.h5"
    command = [sys.executable, "-m", "eqspike", "train"]
    kill_once([*command, tmp_path / "recipe.toml", "--out", killed], killed, epoch=0)
    kill_once([*command, "--resume", killed], killed, epoch=1)
    subprocess.run([*command, "--resume", killed], check=True, capture_output=True, timeout=120)
    assert_same(read_run(killed), read_run(tmp_path / "whole.h5"))


def kill_once(command: list, path: Path, *, epoch: int) -> None:
    """Run ``command`` and kill it in the middle of ``epoch``, as its last checkpoint tells."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    try:
        while time.monotonic() < end and process.poll() is None:
            progress = progress_in(path)
            if progress["epoch"] >= epoch and progress["sample"] > 0:
                break
            time.sleep(0.002)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    progress = progress_in(path)
    assert progress["epoch"] >= epoch and 0 < progress["sample"] < N_TRAIN


def progress_in(path: Path) -> dict[str, int]:
    try:
        return read_summary(path).progress
    except RunFileError:  # no checkpoint yet
        return {"epoch": -1, "sample": 0}


def assert_same(found: RunContent, expected: RunContent) -> None:
    assert found.status == expected.status == "complete"
    assert found.config == expected.config
    assert found.progress == expected.progress
    assert found.ledger == expected.ledger
    assert without_time(found.results) == without_time(expected.results)
    for folder in ("weights", "biases", "spikes_per_neuron", "probes", "metrics"):
        arrays, others = (without_time(getattr(content, folder)) for content in (found, expected))
        assert arrays.keys() == others.keys() and arrays
        for name, array in arrays.items():
            assert array.dtype == others[name].dtype
            assert array.tobytes() == others[name].tobytes(), f"{folder}/{name}"


def without_time(values: dict) -> dict:
    return {name: value for name, value in values.items() if not name.startswith("seconds")}


def as_toml(recipe: dict) -> str:
    """Return a recipe as TOML: its values are written alike in Python and in TOML, but for tables within arrays."""
    lines = [f"{key} = {toml_value(value)}" for key, value in recipe.items()]
    return "\n".join(lines) + "\n"


def toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)

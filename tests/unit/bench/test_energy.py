"""The benchmarks of energy-based networks: what they compare, and that the peers compute the same."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from eqspike.bench import energy, torch_peers
from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset

PYTHON = os.environ.get(energy.PEER_VARIABLE, sys.executable)
HAS_TORCH = subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False).returncode == 0


def test_a_ratio_above_one_means_that_we_are_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = {"cpu_seconds_per_epoch": 1e9, "images_per_s": {"autograd": 1e-6}}
    monkeypatch.setattr(torch_peers, "measure", lambda *_, **__: (slow, {}))
    monkeypatch.setattr(energy, "_OURS", 2)
    monkeypatch.setattr(energy, "_ITERATIONS", 1)
    digits = load_dataset("digits")
    assert energy.prototypical(digits, 1).ratio > 1e3
    assert energy.convolution(1).ratio > 1e3


def test_a_python_without_torch_is_told_how_to_get_it() -> None:
    without = 'import sys; sys.modules["torch"] = None; from eqspike.bench.torch_peers import _torch; _torch()'
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert "eqspike[bench]" in done.stderr
    with pytest.raises(ConfigError, match="PyTorch peer failed"):
        torch_peers.measure("convolution", {"images": np.zeros((1, 4, 4, 1), np.float32)}, iterations=1)


@pytest.mark.skipif(not HAS_TORCH, reason="needs torch, or EQSPIKE_TORCH_PYTHON")
def test_the_prototypical_peer_learns_the_same_weights() -> None:
    digits = load_dataset("digits")
    from eqspike.training.api import resolve
    from eqspike.training.run import new_run

    spec = resolve("ep-512", {"data.name": "digits", "network.hidden": [16], "dynamics.tolerance": 0.0})
    run = new_run(spec, digits)
    weights, biases = run.substrate.get_weights()
    arrays = {
        "images": digits.x_train[:100],
        "targets": np.eye(10, dtype=np.float32)[digits.y_train[:100]],
        "w_in": weights["input->hidden"],
        "w_out": weights["hidden->output"],
        "b_hidden": biases["hidden"],
        "b_out": biases["output"],
    }
    _, theirs = torch_peers.measure("prototypical", arrays, python=PYTHON, minibatches=5)
    run.substrate.train(digits.x_train, digits.y_train, np.arange(100), 0, 100, scale=1.0, offset=0)
    ours = run.substrate.get_weights()[0]
    assert not np.allclose(ours["input->hidden"], arrays["w_in"], atol=1e-3)
    assert np.allclose(ours["input->hidden"], theirs["w_in"], atol=1e-5)
    assert np.allclose(ours["hidden->output"], theirs["w_out"], atol=1e-5)

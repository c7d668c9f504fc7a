"""A run with something in every folder of its file."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.ledger import Ledger
from eqspike.recording import RunContent, write_run

LAYERS = {"input": 6, "hidden": 4, "aus": 2}


def _ledger() -> dict:
    ledger = Ledger(tuple(LAYERS), ("input-hidden", "hidden-aus"))
    for number, counts in enumerate(ledger.phases.values()):
        counts.layers[:] = np.arange(12).reshape(3, 4) + 2**40 * number
        counts.projections[:] = np.arange(18).reshape(2, 9)
        counts.ticks, counts.presentations = 120 + number, 7
    return ledger.to_dict()


def _probes(rng: np.random.Generator) -> dict:
    trajectory = "weight_trajectory/input-hidden"
    return {
        **{f"spikes/{name}": rng.integers(0, 9, 5) for name in ("sample", "tick", "layer", "neuron")},
        "potential/hidden": rng.random((2, 9, 4), np.float32),
        "rate/hidden": rng.random((2, 9, 4)),
        f"{trajectory}/pre": np.arange(3),
        f"{trajectory}/post": np.arange(3),
        f"{trajectory}/sample": np.array([0, 100], np.int32),
        f"{trajectory}/weight": rng.random((2, 3)),
        **{f"updates/{name}": rng.integers(0, 9, 8) for name in ("sample", "tick", "projection", "pre", "post")},
        "updates/from_pre": rng.random(8) < 0.5,
        "updates/value": rng.normal(size=8),
        "tick_totals": rng.integers(0, 9, (3, 12)),
    }


@pytest.fixture
def content() -> RunContent:
    rng = np.random.default_rng(1)
    return RunContent(
        status="complete",
        config={"seed": 3, "network": {"hidden": [4], "leak": None}, "label": "µ, é"},
        environment={"created": "2025-01-01T00:00:00+00:00", "eqspike": "0.1.0"},
        results={"test_accuracy": 0.975, "epochs": 3},
        metrics={"epoch": np.arange(1, 4), "train_accuracy": rng.random(3), "seconds": np.array([1.5, np.nan, 2.5])},
        weights={"input-hidden": rng.random((6, 4), np.float32), "hidden-aus": rng.random((4, 2))},
        biases={"hidden": rng.random(4), "aus": rng.random(2)},
        ledger=_ledger(),
        spikes_per_neuron={name: rng.integers(0, 2**40, (3, size)) for name, size in LAYERS.items()},
        progress={"epoch": 2, "sample": 17, "correct": 11},
        probes=_probes(rng),
    )


@pytest.fixture
def run(tmp_path, content):
    """A good run file."""
    path = tmp_path / "run.h5"
    write_run(path, content)
    return path

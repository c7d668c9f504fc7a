"""The benchmark's tools: they measure what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from eqspike.bench.peers import dense_inference
from eqspike.bench.result import Measurement, in_turn
from eqspike.bench.roofline import accumulator, rows_delivered
from eqspike.bench.uncounted import uncounted_present
from eqspike.cli.app import app
from eqspike.data import load_dataset
from eqspike.training.api import resolve
from eqspike.training.run import new_run


@pytest.fixture(scope="module")
def dataset():
    return load_dataset("digits").limited(train=40, test=30)


@pytest.fixture(scope="module")
def run(dataset):
    run = new_run(resolve("eqspike-digits", {"network.hidden": [20], "network.precision": 64}), dataset)
    run.substrate.train(dataset.x_train, dataset.y_train, np.arange(40), 0, 40, scale=1.0, offset=0)
    return run


def test_medians_are_taken_in_turn() -> None:
    calls: list[str] = []
    times = in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert calls == ["a", "b"] * 3
    assert set(times) == {"a", "b"}


def test_the_roofline_adds_every_row_of_every_spike(run, dataset) -> None:
    before = run.substrate.counts.projections.copy()
    jobs = rows_delivered(run.substrate, dataset.x_test[:5], None)
    counts = run.substrate.ledger()
    run.substrate.infer(dataset.x_test[:5], threads=1)
    table = run.substrate.counts.projections[2] - before[2]
    assert [len(spikes) for _, spikes in jobs] == [table[1, 0] // 10, table[1, 1] // 20]
    rows, spikes = jobs[0]
    total = np.zeros(rows.shape[1])
    accumulator(rows.shape[1])(rows, spikes, total)
    np.testing.assert_allclose(total, rows[spikes].sum(axis=0))
    assert counts.total("inference", "spikes") == before[2][0, 0]


def test_the_dense_peer_gives_the_engines_answers(run, dataset) -> None:
    assert np.array_equal(dense_inference(run.substrate, dataset.x_test), run.substrate.infer(dataset.x_test))


def test_the_loop_without_its_ledger_learns_the_same_and_counts_nothing(dataset, tmp_path) -> None:
    def trained(loop=None):
        run = new_run(resolve("eqspike-digits", {"network.hidden": [12]}), dataset)
        if loop:
            run.substrate.replace_loop(loop)
        run.substrate.train(dataset.x_train, dataset.y_train, np.arange(40), 0, 40, scale=1.0, offset=0)
        return run

    counted, bare = trained(), trained(uncounted_present(tmp_path))
    for name, weights in counted.weights.items():
        assert np.array_equal(weights, bare.weights[name])
    assert counted.ledger.total("nudged", "weight_writes") > 0
    assert bare.ledger.total("nudged", "weight_writes") == bare.ledger.total("free", "synaptic_events") == 0


def test_the_command_prints_measurements_and_refuses_unknown_suites(monkeypatch) -> None:
    made = Measurement("tiny", 2.0, "us/image", "peer", 4.0, 2.0, 0.5)
    monkeypatch.setattr("eqspike.bench.engine.measure", lambda repeats: iter([made]))
    found = CliRunner().invoke(app, ["bench", "engine", "--json"])
    assert found.exit_code == 0
    assert json.loads(found.stdout) == [made.to_dict()]
    shown = CliRunner().invoke(app, ["bench", "engine"])
    assert [line.split() for line in shown.stdout.splitlines() if line] == [
        ["tiny"], ["ours", "2", "us/image"], ["peer", "4", "us/image,", "peer"], ["times", "faster", "2"],
        ["of", "roofline", "0.50"],
    ]  # fmt: skip
    wrong = CliRunner().invoke(app, ["bench", "warp"])
    assert wrong.exit_code == 2
    assert "there is no suite 'warp'" in wrong.stderr

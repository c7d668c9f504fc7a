"""Runs of feed-forward networks: they learn, task after task, come back from their file, and have a price."""

from __future__ import annotations

import math
import signal

import numpy as np
import pytest

import eqspike
from eqspike.claims.schema import SUBSTRATE_QUANTITIES, TRAINING_QUANTITIES
from eqspike.core.errors import ConfigError, Interrupted, RunFileError
from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS
from eqspike.costing.run import workload_of
from eqspike.recording import read_run
from eqspike.training.api import resolve, resume, train
from eqspike.training.feedforward_spec import FeedforwardSpec
from eqspike.training.loop import Progress
from eqspike.training.run import open_run
from eqspike.training.specs import parse_spec

DIGITS = {
    "name": "digits-forward",
    "substrate": "feedforward",
    "data": {"name": "digits"},
    "network": {"hidden": [48]},
    "rule": {"name": "metaplastic"},
    "training": {"epochs": 6, "batch": 20},
}
SHORT = {"data.train_limit": 70, "data.test_limit": 30, "training.epochs": 2}
KINDS = {
    "binary": ({"weights": "binary"}, {"name": "metaplastic", "m": 1.0}, 0.88, 1),
    "quantised": ({"weights": "quantised", "weight_bits": 4}, {"name": "backprop", "learning_rate": 0.01}, 0.9, 4),
    "real": ({"weights": "real", "statistics": "running"}, {"name": "metaplastic", "m": 0.5}, 0.92, 32),
}
TWO = {"kind": "datasets", "datasets": ["digits"]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_weights_learns_the_digits(kind: str) -> None:
    network, rule, least, bits = KINDS[kind]
    run = train(DIGITS | {"network": {"hidden": [48], **network}, "rule": rule})
    assert run.test_accuracy > least
    assert run.results["bits_per_weight"] == bits
    assert ("weight_flips_per_training_sample" in run.results) == (kind == "binary")
    uses = (run.results["synaptic_events_per_inference"] > 0, run.results["macs_per_inference"] > 0)
    assert uses == (kind == "binary", kind != "binary")
    assert "first_task_kept" not in run.results


def test_a_second_task_is_learnt_and_what_is_left_of_the_first_is_told() -> None:
    run = train(DIGITS | {"tasks": {"kind": "permuted", "count": 2}})
    found, table = run.results, run.probes["task_accuracy"]
    assert {*TRAINING_QUANTITIES, *SUBSTRATE_QUANTITIES} <= set(found)
    assert table.shape == (12, 2) and run.progress["epoch"] == 12
    assert table[5, 0] > 0.85 and table[5, 1] < 0.4 and table[11, 1] > 0.85
    assert found["first_task_kept"] == pytest.approx(table[11, 0] / table[5, 0])
    assert found["test_accuracy"] == pytest.approx((found["test_accuracy_task1"] + found["test_accuracy_task2"]) / 2)
    assert found["first_task_test_accuracy"] == found["test_accuracy_task1"] < found["last_task_test_accuracy"]
    assert run.metrics["validation_accuracy"][5] == table[5, 0]
    assert run.metrics["validation_accuracy"][11] == pytest.approx(table[11].mean()) == found["validation_accuracy"]
    assert run.metrics["learning_rate_scale"] == [1.0] * 12


def test_m_keeps_more_of_the_first_task() -> None:
    """Published on MNIST; here in small."""
    recipe = DIGITS | {"network": {"hidden": [200]}, "tasks": {"kind": "permuted", "count": 2}}
    kept = [train(recipe, rule__m=m, training__epochs=10).results["first_task_kept"] for m in (0.0, 4.0)]
    assert kept[1] > kept[0] + 0.1


def test_a_stream_is_one_task_seen_in_pieces() -> None:
    told: list[Progress] = []
    run = train(DIGITS | {"tasks": {"kind": "stream", "count": 4}}, training__epochs=5, on_progress=told.append)
    assert run.test_accuracy > 0.8 and run.progress["epoch"] == 20 and told[-1].epochs == 20
    assert "first_task_kept" not in run.results and "task_accuracy" not in run.probes
    assert run.ledger.phases["free"].presentations == 5 * 1079
    assert int(run.substrate.learner.count) == sum(5 * math.ceil(n / 20) for n in (270, 270, 270, 269))


def test_the_learning_rate_decays_anew_with_every_task() -> None:
    run = train(
        DIGITS | {"tasks": TWO}, **{k.replace(".", "__"): v for k, v in SHORT.items()}, training__rate_decay=0.5
    )
    assert run.metrics["learning_rate_scale"] == [1.0, 0.5, 1.0, 0.5]


class StopAt:
    """Ask for the end by a signal, once, in the middle of ``epoch``."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.asked = epoch, False

    def __call__(self, progress: Progress) -> None:
        if progress.stage == "train" and progress.epoch == self.epoch and 0 < progress.sample < 70:
            if not self.asked:
                signal.raise_signal(signal.SIGINT)
            self.asked = True


RESUMED = {
    "running statistics, three tasks": ({"statistics": "running"}, {"kind": "permuted", "count": 3}),
    "data sets": ({}, TWO),
    "a stream": ({}, {"kind": "stream", "count": 3}),
    "quantised": ({"weights": "quantised"}, TWO),
}


@pytest.mark.parametrize("name", RESUMED)
def test_stopped_also_in_a_later_task_and_resumed_is_bit_identical(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("eqspike.training.loop.CHUNK_S", 1e-9)  # after the first call, mini-batch by mini-batch
    network, tasks = RESUMED[name]
    changes = {"network": {"hidden": [6, 5], **network}, "tasks": tasks, "training": {"epochs": 2, "batch": 1}}
    recipe = resolve(DIGITS | changes, SHORT)
    whole, stopped = tmp_path / "whole.h5", tmp_path / "stopped.h5"
    train(recipe, out=whole)
    with pytest.raises(Interrupted):
        train(recipe, out=stopped, on_progress=StopAt(1))
    with pytest.raises(Interrupted):
        resume(stopped, on_progress=StopAt(3))
    assert read_run(stopped).progress["epoch"] == 3 and read_run(stopped).progress["sample"] > 0
    resume(stopped)
    found, expected = read_run(stopped), read_run(whole)
    assert found.status == "complete" and found.ledger == expected.ledger
    assert without_time(found.results) == without_time(expected.results)
    for folder in ("weights", "biases", "state", "metrics", "probes"):
        arrays, others = (without_time(getattr(content, folder)) for content in (found, expected))
        assert arrays.keys() == others.keys()
        assert [key for key in arrays if arrays[key].tobytes() != others[key].tobytes()] == []


def without_time(values: dict) -> dict:
    return {name: value for name, value in values.items() if not name.startswith("seconds")}


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> eqspike.Run:
    changes = {"network": {"hidden": [6, 5], "statistics": "running"}, "tasks": TWO}
    return train(resolve(DIGITS | changes, SHORT), out=tmp_path_factory.mktemp("runs") / "run.h5")


def test_a_run_comes_back_from_its_file_as_it_was(stored) -> None:
    again = open_run(stored.path)
    assert again.spec == stored.spec and again.results == stored.results
    assert again.ledger.to_dict() == stored.ledger.to_dict()
    images = eqspike.load_dataset("digits").x_test[:50]
    for task in (0, 1):
        for run in (again, stored):
            run.substrate.face_task(task)
        assert np.array_equal(again.substrate.infer(images), stored.substrate.infer(images, counted=False))
    with pytest.raises(ValueError, match=r"optimiser\.0"):
        again.substrate.set_training_state(
            {k: v for k, v in again.substrate.training_state().items() if k != "optimiser.0"}
        )


def test_a_run_of_tasks_goes_on_with_its_epochs_and_its_data_only(stored, monkeypatch) -> None:
    with pytest.raises(ConfigError, match="epochs a task"):
        resume(stored.path, epochs=9)
    run = open_run(stored.path)
    run.data["task_checksums"] = ["md5:0", "md5:1"]
    with pytest.raises(RunFileError, match="further task"):
        eqspike.training.loop.train(run, eqspike.load_dataset("digits"))


def test_a_run_has_a_price_that_keeps_every_count(stored) -> None:
    workload = workload_of(stored)
    for phase in ("free", "nudged", "inference"):
        for counter in {*LAYER_COUNTERS, *PROJECTION_COUNTERS}:
            assert workload.total(phase, counter) == stored.ledger.total(phase, counter), (phase, counter)
    assert {shape.weight_bits for shape in workload.projections if "bias" not in shape.name} == {1}
    report = eqspike.price(stored)
    assert report.energy("nudged").value > report.energy("inference").value > 0


def test_a_specification_survives_its_own_dump() -> None:
    for rule in ({"name": "metaplastic", "m": [1.0, 2.0]}, {"name": "backprop"}):
        spec = resolve(DIGITS | {"rule": rule, "tasks": TWO})
        assert isinstance(spec, FeedforwardSpec)
        assert parse_spec(spec.model_dump(mode="json", exclude_none=True)) == spec


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule.m": [1.0, 2.0, 3.0]}, "one m, or 2"),
        ({"rule.m": -1.0}, "not be negative"),
        ({"network.hidden": [0]}, "1 to 1,000,000"),
        ({"network.weights": "ternary"}, "binary"),
        ({"probes.presentations": 1}, "spiking networks only"),
        ({"probes.weight_trajectory": 1}, "spiking networks only"),
        ({"rule.name": "backprop", "rule.m": 1.0}, "no such setting"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolve(DIGITS, changes)

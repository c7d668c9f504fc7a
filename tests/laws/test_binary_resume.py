"""Runs of binary networks that were stopped and resumed end bit-identical to runs that were not."""

from __future__ import annotations

import signal
from itertools import pairwise

import numpy as np
import pytest

from eqspike.core.errors import Interrupted
from eqspike.recording import RunContent, read_run
from eqspike.training.api import resolve, resume, train
from eqspike.training.loop import Progress
from eqspike.training.run import open_run

N_TRAIN = 74  # a first call of 16 mini-batches of 4, then 10 more samples, the last mini-batch half empty
BASE = {
    "name": "stopped",
    "substrate": "binary",
    "data": {"name": "digits", "train_limit": N_TRAIN, "test_limit": 20},
    "rule": {"name": "binary-ep", "beta": 1.0, "learn_scales": True},
    "training": {"epochs": 2, "batch": 4},
}
# Low-passes that renew their accumulators every 7 or 39 mini-batches, and some that do not within these runs.
CASES = {
    "real activations": {
        "network": {"hidden": [9]},
        "dynamics": {"activation": "real", "free_steps": 5, "nudged_steps": 3},
        "rule": BASE["rule"]
        | {
            "low_passes": [0.3, 0.01],
            "flip_thresholds": [2e-3, 1e-3],
            "bias_rates": [0.05, 0.02],
            "scale_rates": [0.01, 0.01],
        },
    },
    "binary activations, two hidden layers, expanded output": {
        "network": {"hidden": [35, 12], "expand": 2},
        "dynamics": {"activation": "binary", "free_steps": 5, "nudged_steps": 3},
        "rule": BASE["rule"]
        | {
            "low_passes": [0.9, 0.01, 0.3],
            "flip_thresholds": [2e-2, 1e-3, 5e-2],
            "bias_rates": [0.05, 0.02, 0.01],
            "scale_rates": [0.01, 0.01, 0.01],
        },
    },
}


class StopAt:
    """Ask for the end by a signal, once, at a ``stage`` of ``epoch``: of training in its middle."""

    def __init__(self, epoch: int, stage: str = "train") -> None:
        self.epoch, self.stage, self.asked = epoch, stage, False

    def __call__(self, progress: Progress) -> None:
        inside = self.stage != "train" or 0 < progress.sample < N_TRAIN
        if progress.stage == self.stage and progress.epoch == self.epoch and inside:
            if not self.asked:
                signal.raise_signal(signal.SIGINT)
            self.asked = True


@pytest.mark.parametrize("name", CASES)
def test_stopped_twice_and_resumed_is_bit_identical(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("eqspike.training.loop.CHUNK_S", 1e-9)  # after the first call, mini-batch by mini-batch
    recipe = BASE | CASES[name]
    whole, stopped = tmp_path / "whole.h5", tmp_path / "stopped.h5"
    train(recipe, out=whole)
    with pytest.raises(Interrupted):
        train(recipe, out=stopped, on_progress=StopAt(0))
    assert 0 < read_run(stopped).progress["sample"] < N_TRAIN
    with pytest.raises(Interrupted):
        resume(stopped, on_progress=StopAt(1))
    assert read_run(stopped).progress["epoch"] == 1
    resume(stopped)
    assert_same(read_run(stopped), read_run(whole))
    assert read_run(whole).results["weight_flips_per_training_sample"] > 0


@pytest.mark.parametrize("name", CASES)
def test_stopped_between_epochs_or_given_more_of_them_is_bit_identical(name: str, tmp_path) -> None:
    recipe = BASE | CASES[name]
    whole, stopped, longer = (tmp_path / f"{which}.h5" for which in ("whole", "stopped", "longer"))
    train(recipe, out=whole)
    with pytest.raises(Interrupted):
        train(recipe, out=stopped, on_progress=StopAt(0, "validate"))
    progress = read_run(stopped).progress
    assert (progress["epoch"], progress["sample"]) == (1, 0)
    resume(stopped)
    train(recipe, out=longer, training__epochs=1)
    resume(longer, epochs=2)
    expected = read_run(whole)
    assert_same(read_run(stopped), expected)
    found = read_run(longer)
    found.ledger["phases"]["inference"] = expected.ledger["phases"]["inference"]  # it has been tested twice
    for values in (found, expected):
        for of_layer in values.spikes_per_neuron.values():
            of_layer[2] = 0
    assert_same(found, expected, results=False)


def assert_same(found: RunContent, expected: RunContent, *, results: bool = True) -> None:
    assert found.status == expected.status == "complete"
    assert found.ledger == expected.ledger
    assert not results or without_time(found.results) == without_time(expected.results)
    for folder in ("weights", "biases", "state", "metrics", "spikes_per_neuron"):
        arrays, others = (without_time(getattr(content, folder)) for content in (found, expected))
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            assert array.dtype == others[name].dtype
            assert array.tobytes() == others[name].tobytes(), f"{folder}/{name}"


def without_time(values: dict) -> dict:
    return {name: value for name, value in values.items() if not name.startswith("seconds")}


@pytest.mark.parametrize("name", CASES)
def test_bits_scales_and_momenta_come_back_from_their_file(name: str, tmp_path) -> None:
    made = train(BASE | CASES[name], out=tmp_path / "run.h5")
    again = open_run(tmp_path / "run.h5")
    assert again.spec == made.spec and again.results == made.results
    assert again.ledger.to_dict() == made.ledger.to_dict()
    ours, theirs = made.substrate.weights, again.substrate.weights
    assert all(a.tobytes() == b.tobytes() for a, b in zip(ours, theirs, strict=True))
    kept, read = made.substrate.training_state(), again.substrate.training_state()
    assert kept.keys() == read.keys() == {"momentum", "batches"}
    assert all(kept[key].tobytes() == read[key].tobytes() for key in kept)
    assert np.any(kept["momentum"]) and np.all(kept["batches"] > 0)
    for layer, values in made.substrate.spikes_per_neuron().items():
        assert np.array_equal(again.substrate.spikes_per_neuron()[layer], values)


@pytest.mark.parametrize(
    "state", [{}, {"momentum": np.zeros(3), "batches": np.zeros(2)}, {"momentum": np.zeros(0), "batches": np.zeros(1)}]
)
def test_a_momentum_that_does_not_fit_is_refused(state: dict) -> None:
    spec = resolve(BASE | CASES["real activations"])
    with pytest.raises(ValueError, match="momentum"):
        spec.build_substrate(spec.build_network((8, 8), 10), (8, 8)).set_training_state(state)


@pytest.mark.parametrize("name", CASES)
def test_borders_between_calls_change_nothing(name: str) -> None:
    """Whole mini-batches, in calls of any length: the same weights, momenta, answers and counts."""
    from eqspike.data import load_dataset

    spec, found = resolve(BASE | CASES[name]), []
    data = load_dataset("digits").limited(train=N_TRAIN, test=1)
    images, labels, order = data.x_train, data.y_train, np.random.default_rng(0).permutation(N_TRAIN)
    for borders in ([0, N_TRAIN], [0, 4, 12, 52, 72, N_TRAIN]):
        made = spec.build_substrate(spec.build_network(data.image_shape, data.n_classes), data.image_shape)
        answers = [made.train(images, labels, order, a, b, scale=1.0, offset=N_TRAIN) for a, b in pairwise(borders)]
        state = {key: values.tobytes() for key, values in made.training_state().items()}
        weights = [values.tobytes() for values in made.weights]
        found.append((np.concatenate(answers).tolist(), state, weights, made.ledger().to_dict()))
    assert found[0] == found[1]

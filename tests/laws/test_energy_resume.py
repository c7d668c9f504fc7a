"""Runs of energy-based networks that were stopped and resumed end bit-identical to runs that were not."""

from __future__ import annotations

import signal
from itertools import pairwise

import numpy as np
import pytest

from eqspike.core.errors import Interrupted
from eqspike.recording import RunContent, read_run
from eqspike.training.api import resume, train
from eqspike.training.loop import Progress

N_TRAIN = 74  # a first call of 16 mini-batches of 4, then 10 more samples, the last mini-batch half empty
BASE = {
    "name": "stopped",
    "substrate": "hopfield",
    "data": {"name": "digits", "train_limit": N_TRAIN, "test_limit": 30},
    "network": {"hidden": [6]},
    "dynamics": {"free_steps": 6, "nudged_steps": 3},
    "rule": {"name": "ep", "beta": 0.3},
    "optimiser": {"learning_rates": [0.1, 0.1]},
    "training": {"epochs": 2, "batch": 4},
}
CASES = {
    "last mini-batch's states, momentum, separate ways, random sign": {
        "network": {"hidden": [6], "feedback": "separate", "feedback_angle_degrees": 60.0, "precision": 64},
        "dynamics": {"free_steps": 3, "nudged_steps": 3, "persistent": "batch"},
        "rule": {"name": "ep", "beta": 0.3, "random_sign": True},
        "optimiser": {"learning_rates": [0.1, 0.1], "momentum": 0.9, "schedule": "cosine"},
    },
    "every sample's states, adam, convolution, augmentation, read-out, tolerance, 16 bits": {
        "network": {"hidden": [{"channels": 2, "padding": 0}], "readout": "softmax", "precision": 16},
        "dynamics": {"free_steps": 3, "nudged_steps": 3, "persistent": "sample", "tolerance": 0.01},
        "images": {"crop_padding": 1, "flip": True, "mean": [0.3], "std": [0.4]},
        "optimiser": {"learning_rates": [0.01, 0.01], "name": "adam", "weight_decay": 0.01},
    },
    "continual, random sign": {
        "rule": {"name": "continual", "beta": 0.3, "random_sign": True},
        "optimiser": {"learning_rates": [0.01, 0.01], "schedule": "exponential", "decay": 0.5},
    },
}


class StopAt:
    """Ask for the end by a signal, once, in the middle of ``epoch``."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.asked = epoch, False

    def __call__(self, progress: Progress) -> None:
        if progress.stage == "train" and progress.epoch == self.epoch and 0 < progress.sample < N_TRAIN:
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


def assert_same(found: RunContent, expected: RunContent) -> None:
    assert found.status == expected.status == "complete"
    assert found.ledger == expected.ledger
    assert without_time(found.results) == without_time(expected.results)
    for folder in ("weights", "kernels", "biases", "state", "metrics"):
        arrays, others = (without_time(getattr(content, folder)) for content in (found, expected))
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            assert array.dtype == others[name].dtype
            assert array.tobytes() == others[name].tobytes(), f"{folder}/{name}"


def without_time(values: dict) -> dict:
    return {name: value for name, value in values.items() if not name.startswith("seconds")}


def test_what_training_goes_on_with_is_in_the_file(tmp_path) -> None:
    """Each group has what the test above needs it for: nothing there could hide an empty group."""
    held = {}
    for name, changes in CASES.items():
        path = tmp_path / "run.h5"
        train(BASE | changes, out=path, overwrite=True, training__epochs=0)
        held[name] = {array.partition(".")[0] for array in read_run(path).state}
    first, second, third = held.values()
    assert {"backward", "optimiser", "last"} <= first and "kept" not in first
    assert {"optimiser"} <= second and "last" not in second
    assert third == {"unsettled"}


@pytest.mark.parametrize("name", CASES)
def test_borders_between_calls_change_nothing(name: str) -> None:
    """Whole mini-batches, in calls of any length: the same weights, states, answers and counts."""
    from eqspike.data import load_dataset
    from eqspike.training.api import resolve

    spec, found = resolve(BASE | CASES[name]), []
    data = load_dataset("digits").limited(train=N_TRAIN, test=1)
    images, labels, order = data.x_train, data.y_train, np.random.default_rng(0).permutation(N_TRAIN)
    for borders in ([0, N_TRAIN], [0, 4, 12, 52, 72, N_TRAIN]):
        made = spec.build_substrate(spec.build_network(data.image_shape, data.n_classes), data.image_shape)
        answers = [made.train(images, labels, order, a, b, scale=0.5, offset=N_TRAIN) for a, b in pairwise(borders)]
        state = {name: values.tobytes() for name, values in made.training_state().items()}
        weights = {name: values.tobytes() for group in made.get_weights() for name, values in group.items()}
        found.append((np.concatenate(answers).tolist(), state, weights, made.ledger().to_dict()))
    assert found[0] == found[1]

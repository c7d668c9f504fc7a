"""Sequences of tasks: which samples each shows, in which order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset
from eqspike.training.api import resolve
from eqspike.training.probing import TaskAccuracies
from eqspike.training.tasks import curriculum_of

BASE = {"name": "tasks", "substrate": "feedforward", "data": {"name": "digits"}, "training": {"epochs": 3}}


def curriculum(tasks: dict, seed: int = 1):
    spec = resolve(BASE | {"tasks": tasks, "seed": seed})
    return curriculum_of(spec, load_dataset("digits"))


def test_one_task_shows_the_samples_as_they_are() -> None:
    found, data = curriculum({}), load_dataset("digits")
    (task,) = found.tasks
    assert found.exams == (task,) and found.total_epochs == 3 and found.longest == len(data.y_train)
    assert np.array_equal(task.shown(data.x_test), data.x_test)


def test_other_substrates_have_one_task() -> None:
    data = load_dataset("digits")
    (task,) = curriculum_of(resolve("eqspike-digits"), data).tasks
    assert task.samples is data


def test_each_permuted_task_has_an_order_of_its_own_that_loses_no_pixel() -> None:
    images = load_dataset("digits").x_test
    orders = [task.pixels for seed in (1, 2) for task in curriculum({"kind": "permuted", "count": 3}, seed).tasks]
    assert all(np.array_equal(np.sort(order), np.arange(64)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 6
    again = curriculum({"kind": "permuted", "count": 3}, 2).tasks[1]
    assert np.array_equal(again.pixels, orders[4])
    assert np.array_equal(np.sort(again.shown(images)), np.sort(images))
    assert np.array_equal(again.shown(images)[:, 5], images[:, orders[4][5]])


def test_subsets_of_a_stream_share_out_the_training_set_and_one_test() -> None:
    found, data = curriculum({"kind": "stream", "count": 7}), load_dataset("digits")
    shares = [task.samples.x_train for task in found.tasks]
    assert len(shares) == 7 and max(map(len, shares)) - min(map(len, shares)) <= 1
    together = np.concatenate(shares)
    assert together.tobytes() != data.x_train.tobytes(), "subsets are drawn, not cut"
    assert np.array_equal(np.sort(together, axis=0), np.sort(data.x_train, axis=0))
    assert len(found.exams) == 1 and np.array_equal(found.exams[0].samples.x_test, data.x_test)
    labels = np.concatenate([task.samples.y_train for task in found.tasks])
    assert np.array_equal(np.bincount(labels), np.bincount(data.y_train))


def test_data_sets_follow_each_other() -> None:
    found = curriculum({"kind": "datasets", "datasets": ["digits"]})
    assert [task.name for task in found.tasks] == ["digits", "digits"] and len(found.exams) == 2


@pytest.mark.parametrize(("epoch", "task"), [(0, 0), (2, 0), (3, 1), (5, 1), (6, 2), (8, 2), (9, 2)])
def test_epochs_belong_to_tasks_in_turn(epoch: int, task: int) -> None:
    found = curriculum({"kind": "permuted", "count": 3})
    assert found.total_epochs == 9 and found.at(epoch) == task


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"kind": "permuted"}, "count of at least 2"),
        ({"kind": "stream", "count": 1}, "count of at least 2"),
        ({"count": 2}, "count is for permuted and stream"),
        ({"kind": "datasets"}, "data sets that follow"),
        ({"kind": "permuted", "count": 2, "datasets": ["digits"]}, "no further data sets"),
        ({"kind": "stream", "count": 1100}, "leave some empty"),
        ({"kind": "datasets", "datasets": ["mnist"]}, "784 pixels"),
    ],
)
def test_tasks_that_cannot_be_are_refused(tasks: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        curriculum(tasks)


def test_what_is_kept_of_the_first_task_is_relative_to_the_end_of_its_own_epochs() -> None:
    rows = [[0.5, 0.1], [0.8, 0.2], [0.7, 0.6], [0.6, 0.9]]
    table = TaskAccuracies(2, 2, {"task_accuracy": np.array(rows)})
    assert table.first_kept == pytest.approx(0.6 / 0.8)
    assert table.arrays()["task_accuracy"].tolist() == rows
    for tasks, epochs, kept in ((1, 2, rows), (2, 2, rows[:1]), (2, 0, []), (2, 2, [[0.0, 0.0]] * 4)):
        stored = {"task_accuracy": np.array(kept)} if kept else {}
        assert TaskAccuracies(tasks, epochs, stored).first_kept is None

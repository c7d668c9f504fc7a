"""Sequences of tasks: what is learnt one after the other, and what is tested after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self, runtime_checkable

import numpy as np
from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.core.protocols import Substrate
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset, load_dataset
from eqspike.training.spec import DataSettings, RunSpec


class TaskSettings(Config):
    """Which tasks: one data set (``single``), or several learnt one after the other.

    ``permuted``: ``count`` tasks, each with its pixels in an order of its own. ``datasets``: ``data.name``, then each
    of ``datasets``. ``stream``: the training set in ``count`` subsets, each seen for all of its epochs and never again;
    the optimiser goes on, and there is one task to test.
    """

    kind: Literal["single", "permuted", "datasets", "stream"] = "single"
    count: int = Field(1, ge=1, le=100_000)
    datasets: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _needed(self) -> Self:
        several = self.kind in ("permuted", "stream")
        for wrong, problem in (
            (several and self.count < 2, f"{self.kind} tasks need a count of at least 2"),
            (not several and self.count != 1, f"count is for permuted and stream tasks, not for {self.kind}"),
            (self.kind == "datasets" and not self.datasets, "give the data sets that follow data.name"),
            (self.kind != "datasets" and bool(self.datasets), f"{self.kind} tasks take no further data sets"),
        ):
            if wrong:
                raise ValueError(problem)
        return self

    @property
    def tested(self) -> int:
        """How many different tasks there are to test."""
        return {"permuted": self.count, "datasets": 1 + len(self.datasets)}.get(self.kind, 1)


@dataclass(frozen=True)
class Task:
    """Samples to learn, to validate on and to test; ``pixels`` is the order in which the network sees an image's."""

    name: str
    samples: Dataset
    pixels: np.ndarray | None = None

    def shown(self, images: np.ndarray) -> np.ndarray:
        """Return ``images`` (n, n_pixels) as this task shows them."""
        return images if self.pixels is None else images[:, self.pixels]


@dataclass(frozen=True)
class Curriculum:
    """``tasks`` in the order of learning, ``epochs`` each; the first ``tested`` of them are tested.

    Where fewer are tested than learnt, all have the samples of the first to be tested on.
    """

    tasks: tuple[Task, ...]
    tested: int
    epochs: int

    @property
    def total_epochs(self) -> int:
        """Epochs of all tasks together."""
        return len(self.tasks) * self.epochs

    @property
    def exams(self) -> tuple[Task, ...]:
        """The tasks that are tested."""
        return self.tasks[: self.tested]

    @property
    def longest(self) -> int:
        """Training samples of the largest task."""
        return max(len(task.samples.y_train) for task in self.tasks)

    def at(self, epoch: int) -> int:
        """Return the task of ``epoch``, counted from 0 over all tasks; of the end, the last."""
        return min(epoch // self.epochs, len(self.tasks) - 1) if self.epochs else 0


@runtime_checkable
class KnowsTasks(Protocol):
    """A substrate that keeps something by task, or begins each anew."""

    def begin_task(self, task: int) -> None:
        """Turn to ``task``, from 0, for the first time."""

    def face_task(self, task: int) -> None:
        """Turn to ``task`` again, to test it or to go on with it."""


def begin_task(substrate: Substrate, task: int) -> None:
    """Tell a substrate that knows of tasks that ``task`` begins."""
    if isinstance(substrate, KnowsTasks):
        substrate.begin_task(task)


def face_task(substrate: Substrate, task: int) -> None:
    """Tell a substrate that knows of tasks that samples of ``task`` follow."""
    if isinstance(substrate, KnowsTasks):
        substrate.face_task(task)


def curriculum_of(spec: RunSpec, dataset: Dataset) -> Curriculum:
    """Return the tasks that a specification asks for on ``dataset``; one, where it says nothing of tasks.

    Raises
    ------
    ConfigError
        if a further data set does not fit the network, or there are more subsets than samples.
    """
    settings = getattr(spec, "tasks", TaskSettings())
    tasks = _KINDS[settings.kind](settings, spec, dataset)
    return Curriculum(tuple(tasks), settings.tested, spec.training.epochs)


def _single(settings: TaskSettings, spec: RunSpec, dataset: Dataset) -> Sequence[Task]:
    return [Task(dataset.name, dataset)]


def _permuted(settings: TaskSettings, spec: RunSpec, dataset: Dataset) -> Sequence[Task]:
    orders = [stream(spec.seed, Purpose.TASK_PIXELS, k).permutation(dataset.n_pixels) for k in range(settings.count)]
    return [Task(f"{dataset.name}, permutation {k}", dataset, pixels) for k, pixels in enumerate(orders, 1)]


def _datasets(settings: TaskSettings, spec: RunSpec, dataset: Dataset) -> Sequence[Task]:
    tasks = [Task(dataset.name, dataset)]
    for name in settings.datasets:
        further = _loaded(spec.data, name)
        if (further.n_pixels, further.n_classes) != (dataset.n_pixels, dataset.n_classes):
            raise ConfigError(
                f"its images have {further.n_pixels} pixels in {further.n_classes} classes, those of {dataset.name} "
                f"{dataset.n_pixels} in {dataset.n_classes}.",
                field=f"tasks.datasets: {name}",
                remedy="Give data sets of one shape.",
            )
        tasks.append(Task(further.name, further))
    return tasks


def _loaded(settings: DataSettings, name: str) -> Dataset:
    found = load_dataset(name, validation=settings.validation, scale=settings.scale)
    return found.limited(train=settings.train_limit, test=settings.test_limit)


def _stream(settings: TaskSettings, spec: RunSpec, dataset: Dataset) -> Sequence[Task]:
    if settings.count > len(dataset.y_train):
        raise ConfigError(
            f"{settings.count} subsets of {len(dataset.y_train)} samples leave some empty.",
            field="tasks.count",
            remedy="Ask for fewer.",
        )
    order = stream(spec.seed, Purpose.TASK_SUBSETS).permutation(len(dataset.y_train))
    return [
        Task(f"subset {k}", replace(dataset, x_train=dataset.x_train[chosen], y_train=dataset.y_train[chosen]))
        for k, chosen in enumerate(np.array_split(order, settings.count), 1)
    ]


_KINDS: dict[str, Callable[[TaskSettings, RunSpec, Dataset], Sequence[Task]]] = {
    "single": _single,
    "permuted": _permuted,
    "datasets": _datasets,
    "stream": _stream,
}

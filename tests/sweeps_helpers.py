"""Tiny sweeps on the embedded digits, and hands that do their runs in this very process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eqspike.sweeps import work
from eqspike.sweeps.hands import ENDED, Event
from eqspike.sweeps.plan import Plan
from eqspike.sweeps.state import SweepResult
from eqspike.sweeps.work import Outcome, Task

SMALL = {"network.hidden": [[8]], "data.train_limit": [60], "data.test_limit": [40], "training.epochs": [1]}


def small(**grid: list) -> dict[str, Any]:
    """Return a sweep over small networks, its fields with double underscores for dots."""
    fields = {key.replace("__", "."): values for key, values in grid.items()}
    return {"recipe": "eqspike-digits", "grid": SMALL | fields}


def samples(folder: Path) -> list[str]:
    """Write 240 small random images; return the values of ``data.name``. A process reads them faster than digits."""
    random = np.random.default_rng(1)
    images, labels = random.random((240, 6, 6), np.float32), np.arange(240) % 3
    train, test = slice(0, 200), slice(200, 240)
    np.savez(
        folder / "samples.npz",
        x_train=images[train], y_train=labels[train], x_test=images[test], y_test=labels[test],
    )  # fmt: skip
    return [str(folder / "samples.npz")]


class Inline:
    """Does each run when it is asked what happened, the last handed out first; remembers what it was handed."""

    dashboard = ""

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.handed: list[Task] = []
        self.waiting: list[Task] = []
        self.do: Callable[[Task], Outcome] = work.execute
        self.prepared = 0

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        self.waiting.clear()

    @property
    def has_room(self) -> bool:
        return len(self.waiting) < self.size

    def prepare(self, plan: Plan, is_stopped: Callable[[], bool]) -> None:
        self.prepared += 1

    def hand(self, task: Task) -> str:
        self.handed.append(task)
        self.waiting.append(task)
        return "1"

    def events(self, timeout: float) -> list[Event]:
        task = self.waiting.pop()
        return [Event(ENDED, task.id, "1", outcome=self.do(task))]

    def stop(self) -> None:
        self.waiting.clear()


def same(result: SweepResult) -> list[dict[str, Any]]:
    """Return the records without what may differ between two ways to the same result."""
    apart = ("seconds", "seconds_per_epoch", "attempts", "host")
    return [{key: value for key, value in record.items() if key not in apart} for record in result.records()]

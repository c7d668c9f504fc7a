"""Where a sweep is, for whoever shows it, and what has come of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eqspike.sweeps.store import Store

WAITING = "waiting"


@dataclass
class Doing:
    """A run that is handed out: ``share`` of it is done, by ``worker`` once that is known."""

    worker: str = ""
    stage: str = WAITING
    share: float = 0.0
    since: float = field(default_factory=time.monotonic)


@dataclass
class State:
    """Counts of runs: ``skipped`` were finished before; ``in_hand`` holds those handed out, by id."""

    runs: int
    skipped: int = 0
    done: int = 0
    failed: int = 0
    stage: str = "preparing"
    in_hand: dict[str, Doing] = field(default_factory=dict)
    dashboard: str = ""
    began: float = field(default_factory=time.monotonic)
    busy_s: float = 0.0

    @property
    def running(self) -> int:
        """Runs that a worker has in hand."""
        return sum(doing.stage != WAITING for doing in self.in_hand.values())

    @property
    def seconds(self) -> float:
        """Seconds since the sweep began."""
        return time.monotonic() - self.began

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest takes with as many workers as now; None until a run has ended."""
        ended = self.done + self.failed
        if not ended or not self.running:
            return None
        rest = self.runs - self.skipped - ended - sum(doing.share for doing in self.in_hand.values())
        return self.busy_s / ended * rest / self.running


@dataclass(frozen=True)
class SweepResult:
    """What came of a sweep: ``runs`` asked for, of which ``done`` now, ``failed`` now, ``skipped`` for being done."""

    folder: Path
    runs: int
    done: int
    failed: int
    skipped: int
    seconds: float
    ids: tuple[str, ...]

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the record of every run that has one, read from its file when it is asked for."""
        store = Store(self.folder)
        for name in self.ids:
            if (record := store.record(name)) is not None:
                yield record

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a flat row for every run: id, status, seed, swept fields, results; nothing that depends on time."""
        for record in self.records():
            row = {"id": record["id"], "status": record["status"], "seed": record["seed"], **record["settings"]}
            yield row | record.get("results", {}) | ({"error": record["error"]} if "error" in record else {})

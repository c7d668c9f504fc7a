"""Live progress on stderr: a bar in a terminal, an occasional line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from eqspike.training.pace import STAGES, Pace
from eqspike.training.progress import Progress as Report

LINE_S, QUIET_S = 5.0, 30.0  # in a log, lines of finished epochs are so far apart, and others come after such a silence


class Monitor:
    """Shows where a run is, from the reports of the training loop; use it as a context."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._pace = Pace()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[facts]}", justify="right"),
            console=self._console,
            expand=True,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None, facts="")
        self._stage, self._spoken = "", float("-inf")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, report: Report) -> None:
        """Show a report of the training loop."""
        now = time.monotonic()
        self._pace.add(report, now)
        if report.stage not in ("train", "validate"):
            self.stage(STAGES[report.stage])
            return
        ended = report.sample == 0 and report.epoch > 0
        epoch = report.epoch + (not ended)
        said = self._pace.facts(report)
        self._bar.update(
            self._task,
            description=f"epoch {epoch}/{report.epochs}",
            total=report.epochs * report.samples,
            completed=report.epoch * report.samples + report.sample,
            facts=said,
        )
        quiet = now - self._spoken
        if quiet > QUIET_S or (ended and (quiet > LINE_S or epoch == report.epochs)):
            self._line(f"epoch {epoch}/{report.epochs}: {said}")
        self._stage = "train"

    def stage(self, said: str) -> None:
        """Show a stage whose length is unknown."""
        self._bar.update(self._task, description=said, total=None, facts="")
        if said != self._stage:
            self._line(said)
        self._stage = said

    def amount(self, said: str, done: int, total: int) -> None:
        """Show how much of a work is done."""
        self._bar.update(self._task, description=said, total=total, completed=done, facts="")
        if time.monotonic() - self._spoken > QUIET_S:
            self._line(said)

    def _line(self, said: str) -> None:
        if not self._console.is_terminal:
            self._console.print(said, soft_wrap=True)
            self._spoken = time.monotonic()

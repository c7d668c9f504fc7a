"""Live progress on stderr: a bar in a terminal, an occasional line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

if TYPE_CHECKING:
    from eqspike.training.loop import Progress as Report

LINE_S, QUIET_S = 5.0, 30.0  # in a log, lines of finished epochs are so far apart, and others come after such a silence
STAGES = {
    "compile": "preparing kernels (the first run of a version compiles them, about 20 s)",
    "test": "testing",
}


class Pace:
    """Samples per second of training and the time left, from reports; compiling and validating are left out."""

    def __init__(self) -> None:
        self._samples, self._seconds = 0, 0.0
        self._last: tuple[float, int, int] | None = None

    def add(self, report: Report, now: float) -> None:
        """Take in a report; the first of each epoch, and what compiled, only sets the mark."""
        if report.stage != "train":
            self._last = None
            return
        if self._last and self._last[1] == report.epoch and report.sample > self._last[2]:
            self._samples += report.sample - self._last[2]
            self._seconds += now - self._last[0]
        self._last = (now, report.epoch, report.sample)

    @property
    def rate(self) -> float | None:
        """Training samples per second, None until it is known."""
        return self._samples / self._seconds if self._samples and self._seconds > 0 else None

    def left(self, report: Report) -> float | None:
        """Return the seconds that the remaining epochs will take, None until it is known."""
        remaining = (report.epochs - report.epoch) * report.samples - report.sample
        return remaining / self.rate if self.rate else None


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
        said = self._facts(report)
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

    def _facts(self, report: Report) -> str:
        rate, left = self._pace.rate, self._pace.left(report)
        parts = (
            f"{rate:,.0f} samples/s" if rate else "",
            f"train {report.train_accuracy:.1%}" if report.train_accuracy is not None else "",
            f"validation {report.validation_accuracy:.1%}" if report.validation_accuracy is not None else "",
            f"{_clock(left)} left" if left and left >= 0.5 else "",
        )
        return "  ".join(part for part in parts if part)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

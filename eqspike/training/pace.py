"""How fast training goes, from its own reports, and the same in words."""

from __future__ import annotations

import time

from eqspike.core.notebook import Live
from eqspike.training.progress import Progress

STAGES = {
    "compile": "preparing kernels (the first run of a version compiles them, about 20 s)",
    "test": "testing",
}


class Pace:
    """Samples per second of training and the time left, from reports; compiling and validating are left out."""

    def __init__(self) -> None:
        self._samples, self._seconds = 0, 0.0
        self._last: tuple[float, int, int] | None = None

    def add(self, report: Progress, now: float) -> None:
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

    def left(self, report: Progress) -> float | None:
        """Return the seconds that the remaining epochs will take, None until it is known."""
        remaining = (report.epochs - report.epoch) * report.samples - report.sample
        return remaining / self.rate if self.rate else None

    def facts(self, report: Progress) -> str:
        """Return rate, accuracies and time left in words, as far as they are known."""
        rate, left = self.rate, self.left(report)
        parts = (
            f"{rate:,.0f} samples/s" if rate else "",
            f"train {report.train_accuracy:.1%}" if report.train_accuracy is not None else "",
            f"validation {report.validation_accuracy:.1%}" if report.validation_accuracy is not None else "",
            f"{clock(left)} left" if left and left >= 0.5 else "",
        )
        return "  ".join(part for part in parts if part)


class NotebookProgress:
    """Shows the reports of training in a notebook."""

    def __init__(self) -> None:
        self._live, self._pace, self._said = Live(), Pace(), ""

    def __call__(self, report: Progress) -> None:
        self._pace.add(report, time.monotonic())
        if report.stage in STAGES:
            self._live.show(STAGES[report.stage], last=True)
            return
        ended = report.sample == 0 and report.epoch > 0
        share = (report.epoch + report.sample / max(1, report.samples)) / max(1, report.epochs)
        epoch = report.epoch + (not ended)
        said = f"epoch {epoch}/{report.epochs}: {self._pace.facts(report)}"
        self._said = said
        self._live.show(said, min(share, 1.0), last=ended)

    def finish(self) -> None:
        """Leave what was said last, beside a full bar."""
        self._live.show(f"{self._said}  done".strip(), 1.0, last=True)


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

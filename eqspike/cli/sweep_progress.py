"""Live progress of a sweep on stderr: a bar and a line per worker in a terminal, an occasional line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from eqspike.training.pace import clock

if TYPE_CHECKING:
    from eqspike.sweeps.state import Doing, State

LINE_S = 10.0  # between two lines in a log
SHOWN = 16  # workers; of more, those that began first


class SweepMonitor:
    """Shows where a sweep is; use it as a context."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, transient=True, refresh_per_second=4)
        self._said, self._stage, self._failed = float("-inf"), "", 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, state: State) -> None:
        """Show where the sweep is; in a log, when its stage changes, a run fails, or some time has passed."""
        if self._console.is_terminal:
            self._live.update(shown(state))
            return
        changed = (state.stage, state.failed) != (self._stage, self._failed)
        if changed or time.monotonic() - self._said >= LINE_S:
            self._console.print(_summary(state) + _hands(state), soft_wrap=True, markup=False)
            self._said, self._stage, self._failed = time.monotonic(), state.stage, state.failed


def _summary(state: State) -> str:
    finished = state.done + state.skipped
    left = state.left_s
    parts = (
        f"{state.stage}: {finished} of {state.runs} runs done",
        f"{state.skipped} of them before" if state.skipped else "",
        f"{state.running} running",
        f"{state.failed} failed",
        f"{clock(left)} left" if left is not None else "",
    )
    return ", ".join(part for part in parts if part)


def _hands(state: State) -> str:
    """Return what each worker has in hand, in one line."""
    said = [f"{doing.worker}: {doing.stage} {doing.share:.0%}" for _, doing in _working(state)]
    return f" (workers {'; '.join(said)})" if said else ""


def _working(state: State) -> list[tuple[str, Doing]]:
    """Return runs and what is known of them, of the first workers."""
    working = [(run, doing) for run, doing in state.in_hand.items() if doing.worker]
    return sorted(working, key=lambda item: item[1].worker)[:SHOWN]


def shown(state: State) -> Group:
    """Return the sweep as a bar and a line per worker."""
    made = Table.grid(padding=(0, 2))
    for run, doing in _working(state):
        lasting = clock(time.monotonic() - doing.since)
        made.add_row(Text(f"  worker {doing.worker}"), run, doing.stage, f"{doing.share:.0%}", lasting, style="dim")
    if state.running > SHOWN:
        made.add_row(Text(f"  and {state.running - SHOWN} more", style="dim"))
    board = [Text(f"  dashboard {state.dashboard}", style="dim")] if state.dashboard else []
    bar = Table.grid(expand=True)  # a bar alone does not end its line
    bar.add_row(ProgressBar(total=max(state.runs, 1), completed=state.done + state.failed + state.skipped))
    return Group(Text(_summary(state)), bar, *board, made)

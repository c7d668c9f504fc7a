"""What a sweep asks of whoever does its runs: processes of this machine, or workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from eqspike.sweeps.plan import Plan
from eqspike.sweeps.work import Outcome, Task

PROGRESS, ENDED, LOST = "progress", "ended", "lost"


@dataclass(frozen=True)
class Event:
    """Something that happened to a run: ``progress``, ``ended`` with an outcome, or ``lost`` with its worker."""

    kind: str
    run: str
    worker: str
    said: str = ""
    share: float = 0.0
    outcome: Outcome | None = None


class Hands(Protocol):
    """Whoever does the runs; used as a context, whose end leaves nothing running on this machine."""

    dashboard: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def has_room(self) -> bool:
        """Whether another run can be handed out."""

    def prepare(self, plan: Plan, is_stopped: Callable[[], bool]) -> None:
        """Make ready, and refuse what cannot succeed, before the first run."""

    def hand(self, task: Task) -> str:
        """Hand out a run; return who has it, as far as is known."""

    def events(self, timeout: float) -> list[Event]:
        """Return what has happened, after at most ``timeout`` seconds."""

    def stop(self) -> None:
        """Ask for checkpoints of what is in hand; the runs end as interrupted, done or lost."""

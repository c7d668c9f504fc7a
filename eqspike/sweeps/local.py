"""The processes of one machine as the hands of a sweep."""

from __future__ import annotations

import os
from collections.abc import Callable

from eqspike.core.errors import ConfigError
from eqspike.sweeps.crew import END, Crew
from eqspike.sweeps.hands import ENDED, LOST, PROGRESS, Event
from eqspike.sweeps.plan import Plan
from eqspike.sweeps.warming import Cache
from eqspike.sweeps.work import Outcome, Task

GRACE_S = 20.0  # for checkpoints, before a worker is killed: batch systems kill after 30
POLL_S = 0.25


def usable_cpus() -> int:
    """Return the CPUs that this process may use, which a batch job can set below what the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalHands:
    """Worker processes that run what they are handed; use as a context."""

    dashboard = ""

    def __init__(self, workers: int, threads: int) -> None:
        self._cache = Cache()
        self._crew = Crew(workers, threads, self._cache.environment)

    def __enter__(self) -> LocalHands:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.close(GRACE_S)
        self._cache.__exit__()

    @property
    def has_room(self) -> bool:
        """Whether another run can be handed out."""
        return self._crew.has_room

    def prepare(self, plan: Plan, is_stopped: Callable[[], bool]) -> None:
        """Load every data set once and fill the compile cache, in one worker; the others start beside it.

        Raises
        ------
        ConfigError
            if a data set is missing, or workers do not start.
        """
        if not any(self._cache.lacks(key) for key in plan.kernels):
            self._crew.start()
        for name in plan.data.values():
            self._ask("check", plan.task(name), is_stopped)
        for key, name in plan.kernels.items():
            if self._cache.lacks(key):
                with self._cache.filling(key, is_stopped) as mark:
                    if mark and self._ask("warm", plan.task(name), is_stopped):
                        mark()

    def hand(self, task: Task) -> str:
        """Hand out a run; return who has it."""
        return self._crew.hand(task.id, "run", task.to_json()).name

    def events(self, timeout: float) -> list[Event]:
        """Return what has happened, after at most ``timeout`` seconds."""
        spoken = self._crew.next(timeout)
        if spoken is None:
            return []
        worker, key, said = spoken
        if said["answer"] == "ended":
            outcome = Outcome(**{name: value for name, value in said.items() if name != "answer"})
            return [Event(ENDED, outcome.id, worker.name, outcome=outcome)]
        if said["answer"] == END and key is not None:
            return [Event(LOST, key, worker.name, said=said["reason"])]
        if said["answer"] == "progress" and key is not None:
            return [Event(PROGRESS, key, worker.name, said=said["stage"], share=said["share"])]
        return []

    def stop(self) -> None:
        """Ask for checkpoints of what is in hand."""
        self._crew.stop()

    def _ask(self, what: str, task: Task, is_stopped: Callable[[], bool]) -> bool:
        """Have a worker prepare something; return whether it could."""
        asked = self._crew.hand(task.id, what, task.to_json())
        while not is_stopped():
            spoken = self._crew.next(POLL_S)
            if spoken is None or spoken[0] is not asked:
                continue
            said = spoken[2]
            if said["answer"] == END:
                raise ConfigError(
                    f"a worker does not start: {said['reason']}.", field="sweep", remedy="See what it said above."
                )
            if "problem" in said:
                raise ConfigError(said["problem"], field=said["field"], remedy=said["remedy"])
            if said["answer"] == what:
                return "failed" not in said
        return False

"""The workers of a running Dask cluster as the hands of a sweep; Dask is imported here and nowhere else.

Each thread of a Dask worker keeps one worker process of ours, which runs what it is handed just as on one machine: it
compiles once, a crash of it costs one attempt, and when its Dask worker ends it writes a checkpoint. A Dask worker that
dies is Dask's to notice: the scheduler hands its run to another, which goes on from the last checkpoint in the sweep's
folder. That folder must be the same on all machines.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from eqspike.core.errors import ConfigError, EqspikeError
from eqspike.sweeps.crew import ANSWERS, END, Crew
from eqspike.sweeps.hands import ENDED, LOST, PROGRESS, Event
from eqspike.sweeps.plan import Plan
from eqspike.sweeps.warming import Cache
from eqspike.sweeps.work import Outcome, Task

try:
    import distributed
except ImportError as _error:
    raise ConfigError(
        "a Dask scheduler needs Dask.", field="--scheduler", remedy="python -m pip install 'eqspike[cluster]'"
    ) from _error

CONNECT_S = 10.0
LOOK_S = 2.0  # between two looks at how many workers there are, and between two words of a worker
AHEAD = 2  # runs per thread that the scheduler knows of, so that no thread waits for the driver
_POLL_S = 0.25


class ClusterHands:
    """A Dask cluster that somebody else started; its workers stay when the sweep ends."""

    def __init__(self, address: str) -> None:
        try:
            self._client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ConfigError(
                f"no scheduler answers at {address} ({error}).",
                field="--scheduler",
                remedy="Start one with: dask scheduler; its first lines say its address.",
            ) from None
        shown = "dashboard" in self._client.scheduler_info(n_workers=0).get("services", {})
        self.dashboard = self._client.dashboard_link if shown else ""
        self._token = f"eqspike-{uuid.uuid4().hex[:8]}"
        self._happened: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._futures: dict[str, distributed.Future] = {}
        self._looked, self._threads = 0.0, 0

    def __enter__(self) -> ClusterHands:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.status == "running":
            self._client.run(release, self._token, on_error="ignore")
            self._client.unsubscribe_topic(self._token)
        self._client.close(timeout=CONNECT_S)

    @property
    def has_room(self) -> bool:
        """Whether the scheduler can take another run."""
        return len(self._futures) < AHEAD * max(self._threads, 1)

    def prepare(self, plan: Plan, is_stopped: Callable[[], bool]) -> None:
        """Refuse a cluster without workers, or whose code is another; look for every data set on one worker.

        Raises
        ------
        ConfigError
            with what a worker says.
        """
        self._client.subscribe_topic(self._token, self._hear)
        addresses = list(self._client.nthreads())
        if not addresses:
            raise ConfigError(
                "the scheduler has no workers.",
                field="--scheduler",
                remedy=f"Start some: dask worker {self._client.scheduler.address}",
            )
        tasks = [plan.task(name).to_json() for name in plan.data.values()]
        asked = [("code", tasks[0], [address]) for address in addresses] + [("check", task, None) for task in tasks]
        for what, task, workers in asked:
            future = self._client.submit(prepare, what, task, self._token, workers=workers, pure=False)
            while not future.done() and not is_stopped():
                time.sleep(_POLL_S)
            if is_stopped():
                return
            _refuse(future.result())

    def hand(self, task: Task) -> str:
        """Give a run to the scheduler; which worker takes it shows later."""
        # The name of the future is the run's: a driver that comes again meets what still runs instead of doubling it.
        sweep = hashlib.sha256(task.folder.encode()).hexdigest()[:8]
        key = f"eqspike-{sweep}-{task.id}-{task.attempt}"
        future = self._client.submit(run, task.to_json(), task.spec().kernels(), self._token, key=key, pure=False)
        self._futures[task.id] = future
        future.add_done_callback(lambda done, name=task.id: self._happened.put(_ended(name, done)))
        return ""

    def events(self, timeout: float) -> list[Event]:
        """Return what has happened, after at most ``timeout`` seconds.

        Raises
        ------
        EqspikeError
            if the scheduler is gone.
        """
        if time.monotonic() - self._looked > LOOK_S:
            self._look()
        try:
            event = self._happened.get(timeout=timeout)
        except queue.Empty:
            return []
        if event.kind != PROGRESS:
            self._futures.pop(event.run, None)
        return [event]

    def stop(self) -> None:
        """Take back what has not begun; runs in hand write a checkpoint and end, and nobody here waits for that."""
        self._client.cancel(list(self._futures.values()))
        self._client.run(release, self._token, on_error="ignore")

    def _look(self) -> None:
        if self._client.status != "running":
            raise EqspikeError(
                "the scheduler is gone.",
                field="--scheduler",
                remedy="Finished runs are kept: the same command goes on.",
            )
        self._looked, self._threads = time.monotonic(), sum(self._client.nthreads().values())

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        said = event[1]
        if said["run"] in self._futures:
            self._happened.put(Event(PROGRESS, said["run"], said["worker"], said["stage"], said["share"]))


def _refuse(said: dict[str, Any]) -> None:
    if said["answer"] == END:
        raise ConfigError(
            f"a worker does not start: {said['reason']}.", field="sweep", remedy="See the log of that Dask worker."
        )
    if "problem" in said:
        raise ConfigError(said["problem"], field=said["field"], remedy=said["remedy"])


def _ended(name: str, future: distributed.Future) -> Event:
    if future.status == "finished":
        said = future.result()
        if said["answer"] == END:
            return Event(LOST, name, "", said=said["reason"])
        return Event(ENDED, name, "", outcome=Outcome(**{key: said[key] for key in said if key != "answer"}))
    if future.status == "cancelled":
        return Event(ENDED, name, "", outcome=Outcome(name, "interrupted"))
    return Event(LOST, name, "", said=str(future.exception()))


# What follows runs in the threads of Dask workers.

_crews: dict[tuple[str, int], Crew] = {}


def prepare(what: str, task: dict[str, Any], token: str) -> dict[str, Any]:
    """Check the code or the samples of a run in this thread's worker process; return what it says."""
    return _asked(_crew(token), what, task)


def run(task: dict[str, Any], kernels: str, token: str) -> dict[str, Any]:
    """Do a run in this thread's worker process; return how it ended."""
    crew = _crew(token)
    with Cache() as cache:
        if cache.lacks(kernels):
            with cache.filling(kernels) as mark:
                if mark and "failed" not in _asked(crew, "warm", task):
                    mark()
    return _asked(crew, "run", task, token)


def release(token: str) -> None:
    """Ask the worker processes of one driver to write checkpoints and go."""
    for key in [key for key in _crews if key[0] == token]:
        _crews.pop(key).stop()


def _crew(token: str) -> Crew:
    """Return this thread's one worker process, kept from run to run."""
    return _crews.setdefault((token, threading.get_ident()), Crew(1))


def _asked(crew: Crew, what: str, task: dict[str, Any], token: str = "") -> dict[str, Any]:
    worker, told = distributed.get_worker(), 0.0
    crew.hand(task["id"], what, task)
    while True:
        spoken = crew.next(_POLL_S)
        if spoken is None or spoken[1] is None:
            continue
        said = spoken[2]
        if said["answer"] in (*ANSWERS, END):
            return said
        if token and said["answer"] == PROGRESS and time.monotonic() - told > LOOK_S:
            told = time.monotonic()
            worker.log_event(token, {"run": task["id"], "worker": worker.address, **said})

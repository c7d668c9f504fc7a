"""Worker processes as their driver sees them: started, handed runs, listened to, replaced when they die."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
END = "gone"
ANSWERS = ("ended", "check", "code", "warm")  # what ends a worker's business

Heard = queue.SimpleQueue[tuple["Worker", dict[str, Any]]]


class Worker:
    """A worker process; what it says arrives in ``heard``, at its end ``{"answer": "gone", "reason": ...}``."""

    def __init__(self, name: str, heard: Heard, *, threads: int = 1, environment: dict[str, str] | None = None) -> None:
        self.name = name
        paths = os.pathsep.join(path for path in sys.path if path)
        limits = {variable: str(threads) for variable in _THREADS if variable not in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "eqspike.sweeps.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | limits | {"PYTHONPATH": paths} | (environment or {}),
        )
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, what: str, task: dict[str, Any]) -> None:
        """Ask for something: ``run``, ``check`` or ``warm``; a dead worker tells of its death by itself."""
        with suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps({"do": what, "task": task}).encode() + b"\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask the worker to write a checkpoint of what it has in hand, and go."""
        with suppress(OSError, ValueError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End the worker at once."""
        self._process.kill()

    def join(self, timeout: float) -> bool:
        """Wait for the end of the process; return whether it came."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _listen(self, heard: Heard) -> None:
        with self._process.stdout as lines:
            for line in lines:
                with suppress(ValueError):  # a line cut short by the worker's death
                    heard.put((self, json.loads(line)))
        self.stop()  # nobody reads there any more
        heard.put((self, {"answer": END, "reason": _reason(self._process.wait())}))


def _reason(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        return f"its process was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return f"its process was killed by signal {-code}"


@dataclass
class Crew:
    """A fixed number of workers, each idle or with one run; the dead are replaced while there is work.

    Parameters
    ----------
    size : workers at the same time.
    threads : threads that each may use.
    environment : what the workers see beside the driver's own environment.
    """

    size: int
    threads: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=queue.SimpleQueue)
    busy: dict[Worker, str] = field(default_factory=dict)
    idle: list[Worker] = field(default_factory=list)
    _numbers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = [str(number) for number in range(self.size, 0, -1)]

    def _new(self) -> Worker:
        return Worker(self._numbers.pop(), self.heard, threads=self.threads, environment=self.environment)

    @property
    def has_room(self) -> bool:
        """Whether another run can be handed out now."""
        return len(self.busy) < self.size

    def start(self) -> None:
        """Start all workers, so that they are ready when there is work."""
        while len(self.idle) + len(self.busy) < self.size:
            self.idle.append(self._new())

    def hand(self, key: str, what: str, task: dict[str, Any]) -> Worker:
        """Hand something to do, remembered as ``key``, to an idle worker, a new one if there is none."""
        worker = self.idle.pop() if self.idle else self._new()
        self.busy[worker] = key
        worker.ask(what, task)
        return worker

    def next(self, timeout: float) -> tuple[Worker, str | None, dict[str, Any]] | None:
        """Return (worker, key of what it had in hand, what it said); None if nobody spoke in ``timeout`` seconds."""
        try:
            worker, said = self.heard.get(timeout=timeout)
        except queue.Empty:
            return None
        key = self.busy.get(worker)
        if said["answer"] == END:
            self.busy.pop(worker, None)
            if worker in self.idle:
                self.idle.remove(worker)
            self._numbers.append(worker.name)
        elif said["answer"] in ANSWERS:
            self.busy.pop(worker, None)
            if said.get("status") != "interrupted":  # one that was is on its way out
                self.idle.append(worker)
        return worker, key, said

    def stop(self) -> None:
        """Ask all workers to write checkpoints and go."""
        for worker in (*self.busy, *self.idle):
            worker.stop()

    def close(self, grace_s: float) -> None:
        """End all workers; those that have not gone ``grace_s`` seconds after being asked are killed."""
        workers = [*self.busy, *self.idle]
        self.stop()
        until = time.monotonic() + grace_s
        try:
            for worker in workers:
                worker.join(max(0.0, until - time.monotonic()))
        finally:
            for worker in workers:
                worker.kill()
                worker.join(1.0)

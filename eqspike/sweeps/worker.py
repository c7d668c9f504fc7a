"""A worker process: takes runs from its standard input, one JSON line each, and answers on its standard output.

The end of the input, SIGTERM and Ctrl-C all ask for the same, once: write a checkpoint of the run in hand and go.
So a worker whose driver was killed does not go on alone, and one that a batch system signals as well as its driver is
not asked twice, which would end it on the spot.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from eqspike.training.loop import Progress

TELL_S = 0.5  # between two reports of a run
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Service:
    """The worker's side of the conversation."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._stop = threading.Event()
        self._asked = False
        self._requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._told = 0.0

    def run(self, requests: BinaryIO) -> None:
        """Answer requests until the end of the input."""
        if hasattr(signal, "sigwait"):
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # every thread: signals go to the one that waits
            threading.Thread(target=self._wait_for_signal, daemon=True).start()
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()
        from eqspike.sweeps import work  # noqa: F401  # imported while the driver may still be busy

        self._answer({"answer": "ready"})
        while (request := self._requests.get()) is not None and not self._stop.is_set():
            self._answer(self._do(request))

    def _wait_for_signal(self) -> None:
        signal.sigwait(_SIGNALS)
        self._end()

    def _read(self, requests: BinaryIO) -> None:
        for line in requests:
            self._requests.put(json.loads(line))
        self._end()

    def _end(self) -> None:
        self._stop.set()
        self._requests.put(None)

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        from eqspike.core.errors import EqspikeError
        from eqspike.sweeps import work

        task = work.Task.from_json(request["task"])
        if request["do"] == "run":
            return {"answer": "ended", **vars(work.execute(task, self._progress, self._stop.is_set))}
        try:
            preparations = {"check": work.check, "code": work.check_code, "warm": work.warm}
            preparations[request["do"]](task)
        except EqspikeError as error:
            return {"answer": request["do"], "problem": error.problem, "field": error.field, "remedy": error.remedy}
        except Exception as error:  # a run that cannot even begin is told when its turn comes
            return {"answer": request["do"], "failed": f"{type(error).__name__}: {error}"}
        return {"answer": request["do"]}

    def _progress(self, report: Progress) -> None:
        if self._stop.is_set() and not self._asked:
            self._asked = True
            handler = signal.getsignal(signal.SIGTERM)  # the training loop's own, which ends at its next safe point
            if callable(handler):
                handler(signal.SIGTERM, None)
        now = time.monotonic()
        if now - self._told >= TELL_S:
            self._told = now
            share = (report.epoch + report.sample / max(report.samples, 1)) / max(report.epochs, 1)
            self._answer({"answer": "progress", "stage": report.stage, "share": round(min(share, 1.0), 4)})

    def _answer(self, said: dict[str, Any]) -> None:
        try:
            self._answers.write(json.dumps(said).encode() + b"\n")
            self._answers.flush()
        except BrokenPipeError:  # nobody is there to hear; the end of the input says so too
            self._stop.set()


def main() -> None:
    """Serve the process that started this one."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    Service(answers).run(sys.stdin.buffer)
    answers.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread still reads the input, and the interpreter would wait for its lock


if __name__ == "__main__":
    main()

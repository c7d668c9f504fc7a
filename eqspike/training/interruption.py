"""Stopping cleanly: Ctrl-C and SIGTERM ask the loop to end at its next safe point."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stop:
    """Whether somebody asked for the end; ``reason`` names the signal."""

    reason: str = ""

    def __bool__(self) -> bool:
        return bool(self.reason)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Yield a Stop that turns true at SIGINT or SIGTERM; a second signal ends at once. Handlers are put back.

    Outside the main thread, where handlers cannot be set, the Stop stays false.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, _frame: object) -> None:
        if stop:
            raise KeyboardInterrupt
        stop.reason = signal.Signals(number).name

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

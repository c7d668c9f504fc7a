"""Compiled kernels for many processes: one fills the cache while the others wait, then all only read.

Two processes that fill one cache at once can crash. So what is compiled, for which processor, is marked in the cache's
folder; who finds no mark takes a lock, compiles, and marks. Where the file system cannot lock, the driver and its
workers keep a cache of their own; where no cache can be written, every process compiles for itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from eqspike.core.jit import cache_folder

try:
    import fcntl
except ImportError:  # a system without it keeps a cache per driver
    fcntl = None

POLL_S = 0.2
_VARIABLE = "NUMBA_CACHE_DIR"


class Cache:
    """The compile cache that workers use; ``environment`` is what tells them. Use it as a context."""

    def __init__(self) -> None:
        folder = cache_folder()
        given = os.environ.get(_VARIABLE)
        self._version = Path(folder).name if folder else ""
        self._folder = Path(given or folder) if folder else None
        self._private: Path | None = None
        self.environment: dict[str, str] = {}
        if self._folder and not _can_lock(self._folder):
            self._private = self._folder = Path(tempfile.mkdtemp(prefix="eqspike-kernels-"))
            self.environment = {_VARIABLE: str(self._private)}

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)

    def lacks(self, key: str) -> bool:
        """Return whether the kernels ``key`` are yet to be compiled into the cache."""
        return self._folder is not None and not self._mark(key).exists()

    @contextlib.contextmanager
    def filling(self, key: str, is_stopped: Callable[[], bool] = lambda: False) -> Iterator[Callable[[], None] | None]:
        """Wait until nobody else fills the cache; yield what to call when ``key`` is compiled, None if it is now."""
        with self._locked(is_stopped):
            yield self._mark(key).touch if self.lacks(key) and not is_stopped() else None

    def _mark(self, key: str) -> Path:
        what = hashlib.sha256(f"{key} {self._version} {_processor()}".encode()).hexdigest()[:16]
        return self._folder / f"compiled-{what}"

    @contextlib.contextmanager
    def _locked(self, is_stopped: Callable[[], bool]) -> Iterator[None]:
        if self._private or fcntl is None:
            yield
            return
        with (self._folder / "filling.lock").open("a") as lock:
            while not is_stopped():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(POLL_S)
            yield  # closing the file gives the lock back, and so does the death of its owner


def _can_lock(folder: Path) -> bool:
    if fcntl is None:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "filling.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _processor() -> str:
    """Return what compiled code is made for: caches hold it per processor."""
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"

"""The one door to Numba: placing a million neurons walks 10^8 synapses in an order that no array operation can follow.

Kernels run without the global interpreter lock and without fast-math. They are kept on disk in a folder named after the
hash of their sources, because Numba does not see that a function in another file has changed; where no such folder can
be written, they are compiled in each process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numba
from numba.core import config

_FLAGS = {"nogil": True, "error_model": "numpy"}


def kernel(function: Callable) -> Callable:
    """Compile ``function`` as an entry point."""
    folder, before = _cache_folder(), config.CACHE_DIR
    try:
        if folder is not None and not os.environ.get("NUMBA_CACHE_DIR"):
            config.CACHE_DIR = folder
        return numba.njit(**_FLAGS, cache=folder is not None)(function)
    finally:
        config.CACHE_DIR = before


def inline(function: Callable) -> Callable:
    """Compile a small function that kernels call."""
    return numba.njit(**_FLAGS)(function)


@lru_cache(maxsize=1)
def _cache_folder() -> str | None:
    package = Path(__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted([Path(__file__), *package.glob("mapping/*.py")]):
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "eqspike" / f"mapping-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return None
    return str(folder)

"""The one door to Numba: compilation flags and the compile cache.

Kernels run without the global interpreter lock (samples go to threads) and without fast-math: nothing is reassociated,
so a result does not depend on the vector width. The cache lies in a folder named after the hash of all kernel sources,
because Numba does not see that a function in *another* file has changed. Where no such folder can be written, kernels
are compiled in each process.

Kernels allocate nothing, so reference counting is off (``_nrt``): with it on, every view of an array costs two atomic
operations, and the loop takes twice as long.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numba
import numba.extending
from llvmlite.ir import Constant, IntType
from numba.core import config
from numba.core.compiler import Compiler

_FLAGS = {"nogil": True, "error_model": "numpy", "_nrt": False}


@lru_cache(maxsize=1)
def cache_folder() -> str | None:
    """Return the writable folder for compiled kernels of exactly these sources, or None where there is none."""
    package = Path(__file__).parent.parent
    digest = hashlib.sha256(numba.__version__.encode())
    doors = [Path(__file__), Path(__file__).with_name("lanes.py")]
    for source in sorted([*doors, *package.glob("kernels/*.py"), *package.glob("learning/*.py")]):
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "eqspike" / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return None
    return str(folder)


def kernel(function: Callable, *, cache: bool = True) -> Callable:
    """Compile ``function`` as an entry point, kept on disk for the next process where ``cache``."""
    folder = cache_folder() if cache else None
    before = config.CACHE_DIR
    try:
        if folder is not None and not os.environ.get("NUMBA_CACHE_DIR"):
            config.CACHE_DIR = folder
        return numba.njit(**_FLAGS, cache=folder is not None)(function)
    finally:
        config.CACHE_DIR = before


def inline(function: Callable) -> Callable:
    """Compile a small function that LLVM is expected to inline into its caller."""
    return numba.njit(**_FLAGS, forceinline=True)(function)


class _Apart(Compiler):
    """Numba's compiler with its flag that array arguments do not overlap, which no decorator takes."""

    def define_pipelines(self) -> list:
        self.state.flags.noalias = True
        return super().define_pipelines()


def apart(function: Callable) -> Callable:
    """Compile as :func:`inline` a function whose array arguments never share what it writes.

    Then nothing is read twice, and no loop asks at run time whether its arrays overlap: half the time of short rows.
    """
    return numba.njit(**_FLAGS, forceinline=True, pipeline_class=_Apart)(function)


def splice(function: Callable) -> Callable:
    """Paste a stage of a kernel into its caller before typing: it takes groups of arrays, which are dear to pass."""
    return numba.njit(**_FLAGS, inline="always")(function)


@numba.extending.intrinsic
def _population(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return word(word), generate


def popcount(word):
    """Return how many bits of the unsigned ``word`` are set, one instruction in a kernel."""
    return int(word).bit_count()


@numba.extending.overload(popcount, inline="always")
def _compiled_popcount(word):
    return lambda word: _population(word)


@numba.extending.intrinsic
def _trailing(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], Constant(IntType(1), 1))

    return word(word), generate


def trailing_zeros(word):
    """Return how many bits below the lowest set bit of the unsigned ``word`` are zero; ``word`` must not be zero."""
    word = int(word)
    return (word & -word).bit_length() - 1


@numba.extending.overload(trailing_zeros, inline="always")
def _compiled_trailing_zeros(word):
    return lambda word: _trailing(word)


def resolve_by_type(function: Callable, find: Callable[[type], Callable]) -> None:
    """Let kernels calling ``function(parameters, ...)`` call ``find(type(parameters))`` instead, at compile time.

    ``parameters`` is a named tuple. Unlike a function handed in as an argument, this leaves the caller cacheable.
    """
    names = list(inspect.signature(function).parameters)
    arguments = ", ".join(names)

    def resolve(*kinds):
        if not hasattr(kinds[0], "instance_class"):
            return None
        scope = {"found": find(kinds[0].instance_class)}
        exec(f"def call({arguments}):\n    return found({arguments})", scope)
        return scope["call"]

    scope = {"resolve": resolve}
    exec(f"def typed({arguments}):\n    return resolve({arguments})", scope)
    numba.extending.overload(function, inline="never")(scope["typed"])

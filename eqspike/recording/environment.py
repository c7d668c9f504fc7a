"""Where a run was computed: versions, platform, processor and time, without importing what they describe."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = ("eqspike", "numpy", "numba", "h5py", "scikit-learn")


@cache  # parsing a package's metadata takes a millisecond, and every run names several
def package_version(name: str) -> str:
    """Return the installed version of a distribution, or ``"not installed"``."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def current_environment() -> dict[str, str]:
    """Return versions, platform, processor and time (UTC) of this process, as a run file stores them."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        **{name: package_version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.release()}",
        "cpu": _processor(),
        "cpu_count": str(_usable_cpus()),
    }


def _usable_cpus() -> int:
    """CPUs this process may use, which a container or a batch job can set below what the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The processor's name; Linux tells it in /proc only."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

"""What all tests share: compilation makes first examples slow, so none has a deadline; runs are repeatable.

Workers side by side each keep compiled kernels in a folder of their own: two processes must not fill one at once.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    os.environ["XDG_CACHE_HOME"] = str(home / f"eqspike-tests-{os.environ['PYTEST_XDIST_WORKER']}")

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "1"

settings.register_profile("house", deadline=None, derandomize=True, max_examples=15 if INTERPRETED else 120)
settings.load_profile("house")

"""What all tests share: compilation makes first examples slow, so none has a deadline; runs are repeatable."""

from __future__ import annotations

import os

from hypothesis import settings

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "1"

settings.register_profile("house", deadline=None, derandomize=True, max_examples=15 if INTERPRETED else 120)
settings.load_profile("house")

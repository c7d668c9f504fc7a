"""What the floors expect of each other: the in-loop rule that a substrate runs."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class InLoopRule(Protocol):
    """A plasticity rule that runs inside the engine's loop (see eqspike.learning.plasticity)."""

    parameters: tuple
    traces: tuple[str, ...]
    traces_sources: bool
    contrastive: bool

    @property
    def rows(self) -> int:
        """Rows of a layer's traces array."""

    @property
    def traits(self) -> tuple[int, int, bool]:
        """(rate_trace, declared_traces, sources_traced)."""

    def typed(self, dtype: np.dtype) -> tuple:
        """Return the parameters in the engine's precision."""

"""What the floors expect of each other: what a substrate offers training, and the in-loop rule that one runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from eqspike.core.ledger import Ledger


class Substrate(Protocol):
    """A network compiled for the physics it runs on, with its weights, its rule and its counts."""

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        order: np.ndarray,
        first: int,
        last: int,
        *,
        scale: float,
        offset: int,
    ) -> np.ndarray:
        """Learn from the samples ``order[first:last]``; return what their free phases answered."""

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``."""

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return copies of the weights by projection and of the biases by layer."""

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace weights and biases; missing names keep theirs."""

    def training_state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with beside weights and counts, flat arrays by name."""

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave."""

    def ledger(self) -> Ledger:
        """Return the counted events."""

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger and the spikes (n_phases, n) of each layer."""

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""

    def diagnostics(self) -> dict[str, float]:
        """Return what a reader of the results should know of the dynamics, by name."""

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return the spikes counted so far per layer, (n_phases, n), in the order of the ledger's phases."""


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

"""The accumulators of a binary network: low-passed gradients that grow in units of their own decay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from eqspike.kernels.bits import LANES

_RENEWED = 2.0**-20  # a decay below which accumulators are brought back to their own units
ACCUMULATOR_BITS = 32


class Rule(Protocol):
    """A rule of binary weights, one value per projection in each list, from the input on."""

    beta: float
    random_sign: bool
    low_passes: Sequence[float]
    flip_thresholds: Sequence[float]
    bias_rates: Sequence[float]
    learn_scales: bool
    scale_rates: Sequence[float]


class Step(NamedTuple):
    """What a mini-batch changes: factors (P,) of M and limits of it, rates of biases (P,), real."""

    coefficients: np.ndarray
    limits: np.ndarray
    bias_rates: np.ndarray


class Momentum:
    """M = m / (1 - gamma)^t of every synapse after t mini-batches, held from the first of them on.

    Parameters
    ----------
    rule : gives gamma, tau and rates.
    borders : (P + 1,) first word of each projection, and the last one's end.
    units : (P,) what a gradient is divided by.
    first : gives the values before the first mini-batch.
    """

    def __init__(
        self, rule: Rule, borders: Sequence[int], units: Sequence[float], first: Callable[[], np.ndarray]
    ) -> None:
        self.rule, self.borders, self.units, self.first = rule, borders, units, first
        self.batches = np.zeros(len(units), np.int64)
        self.values = np.zeros(0, np.float32)

    def step(self, contrast: float) -> Step:
        """Return the factors of the next mini-batch, whose gradients are divided by ``contrast``, beta B."""
        if self.values.size == 0:
            self.values = self.first()
        self.batches += 1
        rule, c = self.rule, 1 / contrast
        triples = zip(rule.low_passes, rule.flip_thresholds, self.units, self._decays(), strict=True)
        found = [(gamma * c / decay / unit, tau / decay) for gamma, tau, unit, decay in triples]
        coefficients, limits = np.array(found, np.float32).T.copy()
        return Step(coefficients, limits, np.array([rate * c for rate in rule.bias_rates], np.float32))

    def renew(self) -> None:
        """Bring accumulators back to m where their units have become too small."""
        for p, decay in enumerate(self._decays()):
            if decay < _RENEWED:
                self.values[self.borders[p] * LANES : self.borders[p + 1] * LANES] *= np.float32(decay)
                self.batches[p] = 0

    def state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with, flat arrays by name."""
        return {"momentum": self.values, "batches": self.batches}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`state` gave.

        Raises
        ------
        ValueError
            if an array is missing or has another size.
        """
        values, batches = state.get("momentum"), state.get("batches")
        sizes = (0, self.borders[-1] * LANES)
        if values is None or batches is None or values.size not in sizes or batches.size != len(self.units):
            raise ValueError("the training state lacks the momentum of its weights, or it has another size")
        self.values, self.batches = values.astype(np.float32), batches.astype(np.int64)

    def _decays(self) -> list[float]:
        return [(1 - gamma) ** int(n) for gamma, n in zip(self.rule.low_passes, self.batches, strict=True)]

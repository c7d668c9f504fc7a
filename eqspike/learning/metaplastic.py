"""Synaptic metaplasticity: a hidden weight that has grown resists steps towards zero, so that its sign is kept."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config


class Metaplastic(Config):
    r"""Adam on hidden weights, whose steps U towards zero shrink: W <- W - (1 - tanh(m \|W\|)^2) U.

    ``m`` is one number, or one per projection from the input on; 0 is plain Adam. ``weight_decay`` W is added to the
    gradient. Shifts and gains of normalisation learn by plain Adam.

    References
    ----------
    Laborieux, Ernoult, Hirtzlin and Querlioz, Nat. Commun. 12:2549, 2021 (arXiv:2003.03533).
    """

    name: Literal["metaplastic"] = "metaplastic"
    learning_rate: float = Field(0.005, ge=0)
    weight_decay: float = Field(1e-7, ge=0)
    m: float | list[float] = 1.5

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if any(m < 0 for m in self.strengths(1)):
            raise ValueError("m must not be negative")
        return self

    def strengths(self, projections: int) -> tuple[float, ...]:
        """Return m of each projection."""
        return tuple(self.m) if isinstance(self.m, list) else (self.m,) * projections

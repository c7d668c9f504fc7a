"""Backpropagation with Adam: the ordinary opponent of local rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eqspike.core.config import Config


class Backpropagation(Config):
    """W <- W - rate m1 / (sqrt(m2) + 1e-8), m1 and m2 Adam's averages (0.9, 0.999) of the gradient and its square.

    The gradient is that of the mean cross-entropy of a mini-batch, plus ``weight_decay`` W for weights.

    References
    ----------
    Kingma and Ba, arXiv:1412.6980, 2014.
    """

    name: Literal["backprop"] = "backprop"
    learning_rate: float = Field(1e-3, ge=0)
    weight_decay: float = Field(0.0, ge=0)

    def strengths(self, projections: int) -> tuple[float, ...]:
        """Return the metaplasticity of each projection: none."""
        return (0.0,) * projections

"""Holomorphic Equilibrium Propagation: gradients from finite nudges, by Cauchy's formula over a circle of them."""

from __future__ import annotations

import cmath
from typing import Literal

from pydantic import Field

from eqspike.core.config import Config
from eqspike.core.contrast import Contrast


class HolomorphicEP(Config):
    r"""Estimate (1/N) sum_k dE/dtheta(s^{b_k}) / b_k over b_k = |beta| e^{2 pi i k / N}; bias of order |beta|^N.

    For real networks the nudges of the lower half circle are the conjugates of the upper one's and are not run.
    ``periods`` above 0 is the continuous form: the nudge turns without restarts or a separate free phase, point after
    point, and the last of so many turns is averaged.

    References
    ----------
    Laborieux and Zenke, NeurIPS 2022, arXiv:2209.00530.
    """

    name: Literal["holomorphic"] = "holomorphic"
    beta: float = Field(0.4, gt=0)
    points: int = Field(4, ge=1, le=256)
    periods: int = Field(0, ge=0, le=1000)

    def contrast(self) -> Contrast:
        """Return the phases and their weights."""
        if self.points == 1:
            return Contrast((self.beta,), (1 / self.beta,), -1 / self.beta)
        whole = self.periods > 0
        betas, coefficients = [], []
        for k in range(self.points if whole else self.points // 2 + 1):
            beta = cmath.rect(self.beta, 2 * cmath.pi * k / self.points)
            real = 2 * k % self.points == 0
            beta = beta.real if real else beta
            betas.append(beta)
            coefficients.append((1 if whole or real else 2) / (self.points * beta))
        return Contrast(tuple(betas), tuple(coefficients), periods=self.periods)

"""Continual Equilibrium Propagation: weights change at every step of the nudged phase, from what that step changed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eqspike.core.config import Config
from eqspike.core.contrast import Contrast


class ContinualEP(Config):
    r"""theta <- theta - (eta / beta) [dE/dtheta(s(t+1)) - dE/dtheta(s(t))] at every nudged step, states first.

    With separate backward weights (C-VF) each way contrasts its receiving side alone: dW_f = (eta / beta)
    (s_post(t+1) - s_post(t)) s_pre(t), dW_b alike. ``random_sign`` draws the sign of beta per mini-batch.

    References
    ----------
    Ernoult, Grollier, Querlioz, Bengio and Scellier, arXiv:2005.04168, 2020.
    """

    name: Literal["continual"] = "continual"
    beta: float = Field(0.2, gt=0)
    random_sign: bool = False

    def contrast(self) -> Contrast:
        """Return the phase and its weights: the sum of all changes where the weights stand still."""
        return Contrast((self.beta,), (1 / self.beta,), -1 / self.beta, random_sign=self.random_sign)

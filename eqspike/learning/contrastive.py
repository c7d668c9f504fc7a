"""Equilibrium Propagation, coupled learning and contrastive learning: one rule, of which only numbers differ.

All three change parameters by a difference of -dE/dtheta between two settled states. Equilibrium Propagation nudges the
output with beta times the cost's force, coupled learning holds it a fraction beta of the way to the target, contrastive
(Hebbian) learning at the target itself. Positive, negative and centred forms choose the pair (0, beta), (-beta, 0) or
(-beta, beta).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.contrast import Contrast


class ContrastiveRule(Config):
    r"""Estimate [dE/dtheta(s^{b2}) - dE/dtheta(s^{b1})] / (b2 - b1), (b1, b2) as ``nudging`` says.

    ``random_sign`` draws the sign of beta per mini-batch. ``feedback`` matters where backward weights are stored
    separately: each way its own estimate (``vector-field``) or both the mean of the two (``kolen-pollack``).

    Notes
    -----
    P-, N- and C-EP follow the exact gradients of surrogate losses, L_P = (F(b) - F(0)) / b <= C <= L_N, and
    L_C = (F(b) - F(-b)) / 2b, F(b) = min_s [E + b C]. Coupled and contrastive learning follow no gradient of C, not
    even as beta vanishes.

    References
    ----------
    Scellier and Bengio, Front. Comput. Neurosci. 11:24, 2017; Laborieux et al., Front. Neurosci. 15:633674, 2021;
    Stern et al., Phys. Rev. X 11:021045, 2021; Movellan, 1991; Scellier et al., arXiv:2312.15103, 2023.
    """

    name: Literal["ep", "coupled", "contrastive"] = "ep"
    beta: float = Field(0.1, gt=0)
    nudging: Literal["positive", "negative", "centered"] = "positive"
    random_sign: bool = False
    feedback: Literal["vector-field", "kolen-pollack"] = "vector-field"

    @model_validator(mode="after")
    def _clamped(self) -> Self:
        if self.name == "contrastive" and (self.beta, self.nudging, self.random_sign) != (1.0, "positive", False):
            raise ValueError("contrastive learning clamps the target itself: beta 1, positive, no random sign")
        if self.name == "coupled" and self.beta > 1:
            raise ValueError("coupled learning clamps at most the target itself: beta is at most 1")
        return self

    def contrast(self) -> Contrast:
        """Return the phases and their weights."""
        b, clamped, sign = self.beta, self.name != "ep", self.random_sign
        if self.nudging == "centered":
            return Contrast((b, -b), (0.5 / b, -0.5 / b), 0.0, clamped, sign)
        b = b if self.nudging == "positive" else -b
        return Contrast((b,), (1 / b,), -1 / b, clamped, sign)

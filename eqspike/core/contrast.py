"""What a contrastive rule asks of a substrate: perturbed phases, and how their statistics add up to a gradient."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contrast:
    """The estimate sum_k c_k dE/dtheta(s_k) + c_free dE/dtheta(s_free) of a loss's gradient.

    Parameters
    ----------
    betas : nudge of each perturbed phase, complex ones allowed.
    coefficients : c_k of each phase; only the real part of the sum counts.
    free_coefficient : c_free.
    clamped : whether the output is held at s_free + beta (-dC/ds) instead of being nudged.
    random_sign : whether every beta and coefficient changes its sign at random, one draw per mini-batch.
    periods : 0 where every phase begins at the free state; else each begins where the one before ended, round after
        round, and the last of so many rounds counts.
    """

    betas: tuple[complex, ...]
    coefficients: tuple[complex, ...]
    free_coefficient: float = 0.0
    clamped: bool = False
    random_sign: bool = False
    periods: int = 0

    @property
    def is_complex(self) -> bool:
        """Whether states must be complex."""
        return any(complex(beta).imag != 0 for beta in self.betas)

    @property
    def settlings(self) -> int:
        """How many perturbed phases are run."""
        return len(self.betas) * max(1, self.periods)

    @property
    def terms(self) -> int:
        """How many settled states enter the sum."""
        return len(self.betas) + (self.free_coefficient != 0)

"""What a recipe says about the integers of a digital chip."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eqspike.core.config import Config


class FixedPoint(Config):
    """Widths of all registers; with them nothing in the loop is a real number.

    Potentials are integers in units of threshold / 2**(``potential_bits`` - 2), two's complement; what does not fit
    saturates or wraps. A weight is an integer of ``weight_bits``, sign included, times threshold * 2**exponent, one
    exponent a projection (by default such that initial weights fill a quarter of the range); its ``weight_levels`` are
    -2**(b-1) to 2**(b-1) - 1 (``signed``) or the odd numbers between -2**b and 2**b (``odd``, the only ones of 1 bit).
    ``accumulator_bits`` at each synapse keep what an update lacks to the next weight, 0 keeps nothing. Rate estimates
    are fractions of ``trace_bits``.
    """

    weight_bits: int = Field(4, ge=1, le=16)
    weight_exponents: list[int] | None = None
    weight_levels: Literal["signed", "odd"] = "signed"
    accumulator_bits: int = Field(0, ge=0, le=15)
    potential_bits: int = Field(16, ge=4, le=32)
    trace_bits: int = Field(12, ge=2, le=15)
    trace_rounding: Literal["down", "stochastic"] = "down"
    overflow: Literal["saturate", "wrap"] = "saturate"

    @property
    def odd(self) -> bool:
        """Whether weights are odd multiples of their unit, without a zero."""
        return self.weight_levels == "odd" or self.weight_bits == 1

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest number that a weight register holds."""
        return -(1 << self.weight_bits) >> 1, ((1 << self.weight_bits) >> 1) - 1

    @property
    def potential_exponent(self) -> int:
        """The threshold is two to this power."""
        return self.potential_bits - 2

"""A value with its low and high bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """A value with its low and high bound.

    Bands add and multiply bound by bound, low with low and high with high: every uncertainty is taken as fully
    correlated, the cautious reading of constants that share a technology and a source.
    """

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def exact(cls, value: float) -> Band:
        """Return a band without width."""
        return cls(value, value, value)

    def __add__(self, other: Band) -> Band:
        return Band(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Band | float) -> Band:
        if isinstance(other, Band):
            return Band(self.value * other.value, self.low * other.low, self.high * other.high)
        return Band(self.value * other, self.low * other, self.high * other)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Band:
        return Band(self.value / divisor, self.low / divisor, self.high / divisor)

    def to_dict(self) -> dict[str, float]:
        """Return {value, low, high}."""
        return {"value": self.value, "low": self.low, "high": self.high}

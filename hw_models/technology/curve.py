"""A row of a table: one constant, or constants along an axis such as bits or kilobytes, read log-log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log

from hw_models.errors import ConstantError
from hw_models.technology.constant import Constant, Evidence


@dataclass(frozen=True)
class Curve:
    """Constants of one row at rising points of ``axis`` (such as kB or bits); a row without axis has one point."""

    name: str
    axis: str
    points: tuple[tuple[float, Constant], ...]

    def at(self, position: float | None = None) -> Constant:
        """Return the constant at ``position``: a published point as it stands, between two points the line in log-log.

        log E = log E_a + (log E_b - log E_a) (log x - log a) / (log b - log a), for value, low and high alike. Below
        the smallest published point its price holds (nothing gets cheaper than what was published).

        Raises
        ------
        ConstantError
            If the row needs a position and has none, or the position lies above the largest published point.
        """
        if not self.axis:
            return self.points[0][1]
        if position is None:
            raise ConstantError(f"the row is a curve over {self.axis}.", field=self.name, remedy="Give at = a number.")
        clamped = max(position, self.points[0][0])
        for (left, before), (right, after) in zip(self.points, self.points[1:], strict=False):
            if clamped == left:
                return before
            if left < clamped < right:
                return between(before, after, log(clamped / left) / log(right / left))
        if clamped == self.points[-1][0]:
            return self.points[-1][1]
        raise ConstantError(
            f"{position:g} {self.axis} lies above the largest published point, {self.points[-1][0]:g} {self.axis}.",
            field=self.name,
            remedy="Split the memory or the word, or use another table.",
        )


def between(before: Constant, after: Constant, fraction: float) -> Constant:
    """Return the constant at ``fraction`` of the way from ``before`` to ``after``, straight in logarithms."""
    value, low, high = (
        exp((1 - fraction) * log(getattr(before, key)) + fraction * log(getattr(after, key)))
        for key in ("value", "low", "high")
    )
    evidence = min(before.evidence, after.evidence, Evidence.DERIVED, key=lambda grade: grade.rank)
    return replace(before, value=value, low=low, high=high, evidence=evidence)

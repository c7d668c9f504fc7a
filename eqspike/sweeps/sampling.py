"""What a field of a random design is drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KEYS = ("low", "high", "log", "integer")


@dataclass(frozen=True)
class Distribution:
    """Values between ``low`` and ``high``, evenly or evenly in the logarithm, whole ones if asked; or ``choices``."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    integer: bool = False
    choices: tuple = ()

    @classmethod
    def parse(cls, said: Any) -> Distribution:
        """Return the distribution that a sweep file writes as {low, high, log, integer} or as a list of choices.

        Raises
        ------
        ValueError
            says what is wrong.
        """
        if isinstance(said, list | tuple) and said:
            return cls(choices=tuple(said))
        if not isinstance(said, Mapping):
            raise ValueError(f"{said!r} is nothing to draw from")
        unknown = [key for key in said if key not in _KEYS]
        if unknown:
            raise ValueError(f"there is no '{unknown[0]}' here; known: {', '.join(_KEYS)}")
        missing = [key for key in ("low", "high") if not _is_number(said.get(key))]
        if missing:
            raise ValueError(f"'{missing[0]}' must be a number, not {said.get(missing[0])!r}")
        return cls(**said)._checked()

    def __call__(self, share: float) -> Any:
        """Return the value below which ``share`` (0 to 1) of the draws lie."""
        if self.choices:
            return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]
        half = 0.5 if self.integer else 0.0
        if self.log:
            low, high = math.log(self.low - half), math.log(self.high + half)
            value = math.exp(low + share * (high - low))
        else:
            value = self.low - half + share * (self.high - self.low + 2 * half)
        return round(min(max(value, self.low), self.high)) if self.integer else value

    def _checked(self) -> Distribution:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low!r}) must be below high ({self.high!r})")
        if not (isinstance(self.log, bool) and isinstance(self.integer, bool)):
            raise ValueError("log and integer are true or false")
        if self.log and self.low <= 0:
            raise ValueError(f"low ({self.low!r}) must be above 0 where log is true")
        if self.integer and not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise ValueError("low and high must be whole numbers where integer is true")
        return self


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

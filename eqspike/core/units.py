"""Quantities in words: SI prefixes and few digits."""

from __future__ import annotations

from math import floor, log10

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def engineering(value: float, unit: str) -> str:
    """Return ``value`` with an SI prefix and three significant digits: 4.1e-07 J is 410 nJ."""
    exponent = _exponent(value)
    return f"{_rounded(value / 10.0**exponent, 3)} {_PREFIXES[exponent]}{unit}"


def with_bounds(value: float, low: float, high: float, unit: str) -> str:
    """Return a value and its bounds in one prefix: 405 nJ (73-970)."""
    exponent = _exponent(value)
    bounds = (_rounded(bound / 10.0**exponent, 2) for bound in (low, high))
    return f"{engineering(value, unit)} ({'-'.join(bounds)})"


def _exponent(value: float) -> int:
    """Return the power of ten, a multiple of 3, that leaves 1 to 1000 before the point after rounding."""
    if value == 0:
        return 0
    rounded = float(f"{abs(value):.2e}")
    return min(max(3 * floor(log10(rounded) / 3), min(_PREFIXES)), max(_PREFIXES))


def _rounded(value: float, digits: int) -> str:
    """Return ``value`` with so many significant digits at most, never in exponential notation."""
    return f"{float(f'{value:.{digits}g}'):.12g}"

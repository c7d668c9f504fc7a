"""Energy as a sum of products of constants: other values put in, which one decides, and ratios of two reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from hw_models.errors import WorkloadError
from hw_models.report.band import Band
from hw_models.report.rows import CostRow

_CORNERS = 10  # up to 2**10 corners are tried one by one, beyond that by ascent from both ends


@dataclass(frozen=True)
class Formula:
    """sum_i k_i prod_{c in i} c: what rows cost as a function of the constants (SI values) in them."""

    terms: Mapping[tuple[str, ...], float]

    @classmethod
    def of(cls, rows: Iterable[CostRow]) -> Formula:
        """Return the formula of ``rows``, like terms added."""
        terms: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for row in rows:
            terms[row.constants] += row.coefficient
        return cls({names: terms[names] for names in sorted(terms) if terms[names]})

    @property
    def names(self) -> tuple[str, ...]:
        """Constants that the formula holds, in the order in which they first appear."""
        return tuple(dict.fromkeys(name for names in self.terms for name in names))

    def __call__(self, values: Mapping[str, float]) -> float:
        """Return the energy with every constant at its SI value."""
        return sum(factor * prod(values[name] for name in names) for names, factor in self.terms.items())

    def renamed(self, names: Mapping[str, object]) -> Formula:
        """Return the formula with its constants called otherwise."""
        renamed: defaultdict[tuple, float] = defaultdict(float)
        for key, factor in self.terms.items():
            renamed[tuple(names[name] for name in key)] += factor
        return Formula(dict(renamed))


def tornado(formula: Formula, bands: Mapping[str, Band]) -> list[tuple[str, float, float]]:
    """Return (constant, energy at its low, energy at its high) with all others at their value, widest first."""
    nominal = {name: bands[name].value for name in formula.names}
    swings = [
        (name, formula(nominal | {name: bands[name].low}), formula(nominal | {name: bands[name].high}))
        for name in formula.names
    ]
    return sorted(swings, key=lambda swing: swing[1] - swing[2])


def ratio(a, b, phases_a: Iterable[str] = (), phases_b: Iterable[str] = (), *, per: str = "presentation") -> Band:
    """Return the energy of report ``a`` over that of report ``b``, constants that they share moved together.

    A constant is shared when all its fields are equal; whatever its value, it is the same in both. The others move
    apart: the low bound takes those of ``a`` low and those of ``b`` high.

    Parameters
    ----------
    phases_a, phases_b : phases that are compared; all where none is named.
    per : ``presentation``: each energy per presentation; ``total``: over all of them.

    Raises
    ------
    WorkloadError
        If ``b`` costs nothing.
    """
    sides = [_Side(a, tuple(phases_a), per), _Side(b, tuple(phases_b), per)]
    shared = [name for name in sides[0].bands if name in sides[1].bands]
    nominal = [side.energy({name: band.value for name, band in side.bands.items()}) for side in sides]
    if not nominal[1]:
        raise WorkloadError("the energy to compare with is zero.", field=b.chip, remedy="Compare with counted phases.")
    low, high = (_extreme(sides, shared, sign) for sign in (-1, 1))
    value = nominal[0] / nominal[1]
    return Band(value, min(low, value), max(high, value))


class _Side:
    """One report of a ratio: its formula with constants named by their fields."""

    def __init__(self, report, phases: tuple[str, ...], per: str) -> None:
        report.energy(*phases)  # refuses a missing part
        names = report.phase_names(*phases)
        formula = Formula.of(row for row in report.rows if row.phase in names)
        keys = {name: repr(sorted(report.constants[name].items(), key=str)) for name in formula.names}
        self.bands = {keys[name]: report.bands[name] for name in formula.names}
        self._formula = formula.renamed(keys)
        presentations = max((report.phases[name].presentations for name in names), default=0)
        self._divisor = presentations if per == "presentation" and presentations else 1

    def energy(self, values: Mapping[str, float]) -> float:
        return self._formula(values) / self._divisor


def _extreme(sides: list[_Side], shared: list[str], sign: int) -> float:
    """Return the highest (sign 1) or lowest (-1) ratio over the corners of the bands."""
    top, bottom = ("high", "low") if sign > 0 else ("low", "high")
    ends = [
        {name: getattr(band, end) for name, band in side.bands.items()}
        for side, end in zip(sides, (top, bottom), strict=True)
    ]

    def at(corner: Mapping[str, float]) -> float:
        below = sides[1].energy(ends[1] | corner)
        return sign * (sides[0].energy(ends[0] | corner) / below if below else float("inf"))

    choices = {name: (sides[0].bands[name].low, sides[0].bands[name].high) for name in shared}
    moving = [name for name in shared if choices[name][0] != choices[name][1]]
    fixed = {name: choices[name][0] for name in shared}
    if len(moving) <= _CORNERS:
        corners = product(*(choices[name] for name in moving))
        return sign * max(at(fixed | dict(zip(moving, corner, strict=True))) for corner in corners)
    return sign * max(_ascent(at, fixed | {name: choices[name][end] for name in moving}, choices) for end in (0, 1))


def _ascent(at, corner: dict[str, float], choices: Mapping[str, tuple[float, float]]) -> float:
    best, improved = at(corner), True
    while improved:
        improved = False
        for name, ends in choices.items():
            for end in ends:
                if (tried := at(corner | {name: end})) > best:
                    best, corner, improved = tried, corner | {name: end}, True
    return best

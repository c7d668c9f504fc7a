"""Who needs less energy, by how much, and by what constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hw_models import Band, CostReport
from hw_models.report import ratio

QUANTITIES = {
    "inference": "an inference",
    "training_sample": "a training sample",
    "to_accuracy": "learning to the same accuracy",
}
CLAIM = {
    "inference": 1000,
    "training": 100,
    "against": "a graphics processor",
    "source": "Martin et al., iScience 24:102222, 2021, doi:10.1016/j.isci.2021.102222",
}
_SHOWN = 8  # constants of a tornado
_SAME = 1e-6  # relative: a ratio moves no further by rounding


@dataclass(frozen=True)
class Contender:
    """A network on a chip; reports are None where the chip has no price for what it does.

    ``samples``: training samples to the accuracy that is compared, None where it was never reached. ``problems``: why
    something has no price.
    """

    name: str
    chip: str
    accuracy: float
    inference: CostReport | None
    learning: CostReport | None
    samples: int | None
    problems: tuple[str, ...] = ()

    def report(self, quantity: str) -> CostReport | None:
        """Return the report that ``quantity`` is read from."""
        return self.inference if quantity == "inference" else self.learning

    def energy(self, quantity: str) -> Band | None:
        """Return the joules of one of :data:`QUANTITIES`, None where there is no price, or no such accuracy."""
        report = self.report(quantity)
        if report is None or (quantity == "to_accuracy" and self.samples is None):
            return None
        each = report.per_presentation()
        return each * self.samples if each is not None and quantity == "to_accuracy" else each

    def to_dict(self) -> dict[str, Any]:
        """Return the energies as plain JSON types."""
        energies = {quantity: self.energy(quantity) for quantity in QUANTITIES}
        return {
            "name": self.name,
            "chip": self.chip,
            "accuracy": self.accuracy,
            "samples_to_accuracy": self.samples,
            **{f"energy_{quantity}_j": band.to_dict() if band else None for quantity, band in energies.items()},
            "not_priced": list(self.problems),
        }


@dataclass(frozen=True)
class Comparison:
    """One contender against another: ``ratios`` are its opponent's energy over its own, None where one has none.

    ``swings``: by quantity, (constant, ratio at its low, ratio at its high), widest first.
    """

    own: Contender
    other: Contender
    ratios: Mapping[str, Band | None]
    swings: Mapping[str, tuple[tuple[str, float, float], ...]]

    def sentence(self, quantity: str) -> str | None:
        """Return who needs less energy for ``quantity``, and which constant decides; None where nothing is compared."""
        gain = self.ratios[quantity]
        if gain is None:
            return None
        dearer = self.own if gain.value < 1 else self.other
        component, share = _dearest(dearer.report(quantity))
        reasons = f"{share:.0%} of what {dearer.name} takes is {component}"
        if self.swings[quantity]:
            name, low, high = self.swings[quantity][0]
            reasons += f", what decides is {name} (ratio {times(low, 3)} at its low, {times(high, 3)} at its high)"
        return f"{QUANTITIES[quantity]}: {self.own.name} {_outcome(gain)}; {reasons}"

    def to_dict(self) -> dict[str, Any]:
        """Return ratios, verdicts and deciding constants as plain JSON types."""
        return {
            "name": self.own.name,
            "chip": self.own.chip,
            "opponent": self.other.name,
            "opponent_chip": self.other.chip,
            "ratios": {key: band.to_dict() if band else None for key, band in self.ratios.items()},
            "verdicts": {key: self.sentence(key) for key in self.ratios},
            "decided_by": {
                key: [{"constant": name, "low": low, "high": high} for name, low, high in swings[:_SHOWN]]
                for key, swings in self.swings.items()
            },
        }


def compared(own: Contender, other: Contender) -> Comparison:
    """Return ``own`` against ``other``: ratios with bands in which constants that they share move together."""
    ratios, swings = {}, {}
    for quantity in QUANTITIES:
        pair = _Pair(own, other, quantity)
        ratios[quantity] = pair.ratio
        swings[quantity] = pair.swings() if pair.ratio else ()
    return Comparison(own, other, ratios, swings)


@dataclass(frozen=True)
class _Pair:
    own: Contender
    other: Contender
    quantity: str

    @cached_property
    def ratio(self) -> Band | None:
        energies = self.own.energy(self.quantity), self.other.energy(self.quantity)
        if any(energy is None or not energy.value for energy in energies):
            return None
        below, above = (one.report(self.quantity) for one in (self.own, self.other))
        return ratio(above, below) * self._samples

    @property
    def _samples(self) -> float:
        return self.other.samples / self.own.samples if self.quantity == "to_accuracy" else 1.0

    def swings(self) -> tuple[tuple[str, float, float], ...]:
        """Return (constant, ratio at its low, ratio at its high) of those that move it, widest first."""
        below, above = (one.report(self.quantity) for one in (self.own, self.other))
        found = []
        for name in dict.fromkeys((*below.bands, *above.bands)):
            holders = [one for one in (below, above) if name in one.bands]
            if len(holders) == 2 and below.constants[name] != above.constants[name]:
                found += [(f"{name} of {one.chip}", *self._ends(name, [one])) for one in holders]
            else:
                found.append((name, *self._ends(name, holders)))
        moving = [swing for swing in found if _width(swing) > 1 + _SAME]
        return tuple(sorted(moving, key=lambda swing: -_width(swing)))

    def _ends(self, name: str, holders: list[CostReport]) -> tuple[float, float]:
        low, high = (self._at({name: end}, holders) for end in ("low", "high"))
        return low, high

    def _at(self, values: dict[str, str], holders: list[CostReport]) -> float:
        each = [
            report.evaluate(values if any(report is one for one in holders) else {}) / report.presentations()
            for report in (one.report(self.quantity) for one in (self.own, self.other))
        ]
        return each[1] / each[0] * self._samples if each[0] else float("inf")


def _width(swing: tuple[str, float, float]) -> float:
    """Return how far a constant moves a ratio, as a factor."""
    least, most = sorted(swing[1:])
    return most / least if least > 0 else float("inf")


def _outcome(gain: Band) -> str:
    if gain.low > 1:
        return f"wins, the opponent needs {_band(gain)} times its energy"
    if gain.high < 1:
        return f"loses, it needs {_band(_inverse(gain))} times the opponent's energy"
    if gain.value > 1:
        return f"leads, but the band holds 1: the opponent needs {_band(gain)} times its energy"
    return f"trails, but the band holds 1: it needs {_band(_inverse(gain))} times the opponent's energy"


def _inverse(gain: Band) -> Band:
    return Band(1 / gain.value, 1 / gain.high, 1 / gain.low if gain.low else float("inf"))


def _band(gain: Band) -> str:
    return f"{times(gain.value, 3)} ({times(gain.low)} to {times(gain.high)})"


def times(factor: float, digits: int = 2) -> str:
    """Return a factor with few digits, large ones written out: 3.48, 402,000, 2.5e-06."""
    rounded = float(f"{factor:.{digits}g}")
    return f"{rounded:,.0f}" if 1000 <= rounded < 1e15 else f"{rounded:g}"


def _dearest(report: CostReport) -> tuple[str, float]:
    """Return the component that takes most of a report's energy, and its share."""
    sums: dict[str, float] = {}
    for row in report.rows:
        sums[row.component] = sums.get(row.component, 0.0) + row.energy_j
    component = max(sums, key=sums.__getitem__)
    return component, sums[component] / sum(sums.values())

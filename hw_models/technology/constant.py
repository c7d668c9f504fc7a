"""A constant of a technology: a published number with its band, unit, node, content, grade of evidence and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from math import isfinite
from typing import Any

from hw_models.errors import ConstantError, UnpricedError
from hw_models.report import Band
from hw_models.technology.units import split_unit

SCALINGS = ("none", "logic", "sram", "leakage")


class Evidence(StrEnum):
    """How a number is known, weakest first; below ``projected`` nothing is priced."""

    UNSTATED = "unstated"
    RECALLED = "recalled"
    PROJECTED = "projected"
    DERIVED = "derived"
    SIMULATED = "simulated"
    MEASURED = "measured"

    @property
    def rank(self) -> int:
        """Position from weakest (0) to strongest."""
        return tuple(Evidence).index(self)


@dataclass(frozen=True)
class Constant:
    """One published number.

    Parameters
    ----------
    value, low, high : nominal value and band, in ``unit``; ``low <= value <= high``, none negative.
    unit : as :func:`hw_models.technology.units.split_unit` reads it, such as pJ, uW/kB, uW/MHz, mm2/kB or 1.
    includes : what the number covers.
    evidence, source, year : its grade, and the publication that it comes from.
    node_nm, vdd : technology node and supply in volts; None where the number has none or the source states none.
    band : where low and high come from.
    scaling : what it follows when node or supply change: ``logic``, ``sram``, ``leakage``, or ``none`` (DRAM,
        converters, analog neurons, wires and input-output never scale with logic).

    Raises
    ------
    ConstantError
        If a field does not hold what is said here.
    """

    value: float
    low: float
    high: float
    unit: str
    includes: str
    evidence: Evidence
    source: str
    year: int
    node_nm: float | None = None
    vdd: float | None = None
    band: str = ""
    scaling: str = "none"

    def __post_init__(self) -> None:
        if self.evidence not in tuple(Evidence):
            raise ConstantError(
                f"{self.evidence!r} is not a grade of evidence.", field="evidence", remedy=f"Grades: {_grades()}."
            )
        object.__setattr__(self, "evidence", Evidence(self.evidence))
        numbers = (self.low, self.value, self.high)
        if not all(_is_number(number) for number in numbers) or not 0 <= self.low <= self.value <= self.high:
            raise ConstantError(
                f"{self.value!r} with the band {self.low!r} to {self.high!r} is not a value inside its band.",
                field="value, low, high",
                remedy="Give three finite numbers with 0 <= low <= value <= high.",
            )
        for key in ("includes", "source"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key).strip():
                raise ConstantError("nothing is stated.", field=key, remedy="State it in a few words.")
        if self.scaling not in SCALINGS:
            raise ConstantError(
                f"{self.scaling!r} is not a way to scale.", field="scaling", remedy=f"Known: {', '.join(SCALINGS)}."
            )
        if not isinstance(self.unit, str):
            raise ConstantError(f"{self.unit!r} is not a unit.", field="unit", remedy='Give a text, such as "pJ".')
        self.dimension  # noqa: B018  an unknown unit is refused here, not at the first use

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any], where: str) -> Constant:
        """Build a constant from a TOML table; ``where`` names the table in errors."""
        known = {entry.name for entry in fields(cls)}
        missing = sorted(known - {"node_nm", "vdd", "band", "scaling"} - set(raw))
        if unknown := sorted(set(raw) - known):
            raise ConstantError(
                f"unknown key {unknown[0]!r}.", field=where, remedy=f"Known keys: {', '.join(sorted(known))}."
            )
        if missing:
            raise ConstantError(f"{missing[0]!r} is missing.", field=where, remedy=f"Add {', '.join(missing)}.")
        try:
            return cls(**raw)
        except ConstantError as error:
            raise ConstantError(error.problem, field=f"{where}.{error.field}", remedy=error.remedy) from error

    @property
    def dimension(self) -> str:
        """The unit without its SI prefix."""
        return split_unit(self.unit)[0]

    @property
    def si_factor(self) -> float:
        """What one of its units is in SI units."""
        return split_unit(self.unit)[1]

    @property
    def si(self) -> Band:
        """The number and its band in SI units."""
        return Band(self.value, self.low, self.high) * self.si_factor

    def require_priceable(self, name: str) -> None:
        """Refuse a constant that no publication supports.

        Raises
        ------
        UnpricedError
            If the grade is ``unstated`` or ``recalled``.
        """
        if self.evidence.rank < Evidence.PROJECTED.rank:
            raise UnpricedError(
                f"the constant is {self.evidence}, so nothing is priced with it.",
                field=name,
                remedy="Replace it by a published number with its source, or choose another chip.",
            )


def _is_number(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number)


def _grades() -> str:
    return " < ".join(Evidence)

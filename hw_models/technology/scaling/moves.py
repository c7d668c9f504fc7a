"""A move of published constants to another node and supply, each by its own way to scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hw_models.errors import KnobError
from hw_models.report import Band
from hw_models.technology.constant import Constant, Evidence
from hw_models.technology.scaling.nodes import data, far, logic_factor, nominal_vdd, sram_factor
from hw_models.technology.sram import SOURCE

LOWEST_VDD = 0.6
_HIGHEST_RATIO = 1.5


@dataclass(frozen=True)
class Move:
    """From one node to another, there from supply ``kept_vdd`` to ``after_vdd``.

    Logic and SRAM energies follow the node and the square of the supply, leakage the supply alone (its first to third
    power); DRAM, converters, analog neurons, wires and input-output stay as published. ``before_vdd``: supply of the
    figures at the first node, where it was not the nominal one.
    """

    before_nm: float
    after_nm: float
    kept_vdd: float | None = None
    after_vdd: float | None = None
    before_vdd: float | None = None

    @property
    def ratio(self) -> float:
        """The supply over that which the node alone would give."""
        return self.after_vdd / self.kept_vdd if self.kept_vdd and self.after_vdd else 1.0

    def __call__(self, constant: Constant) -> Constant:
        """Return ``constant`` after the move, graded no better than derived, and projected for logic at a far node."""
        factor = self._factor(constant)
        if factor is None:
            return constant
        weak = constant.scaling == "logic" and far(self.before_nm, self.after_nm)
        grade = min(constant.evidence, Evidence.PROJECTED if weak else Evidence.DERIVED, key=lambda one: one.rank)
        return replace(
            constant,
            value=constant.value * factor.value,
            low=constant.low * factor.low,
            high=constant.high * factor.high,
            evidence=grade,
            node_nm=self.after_nm,
            vdd=self.after_vdd,
            band=f"{constant.band}; {self._how(constant)}".lstrip("; "),
        )

    def _factor(self, constant: Constant) -> Band | None:
        if constant.scaling == "leakage":
            first, third = self.ratio, self.ratio**3
            return None if self.ratio == 1.0 else Band(first, min(first, third), max(first, third))
        if constant.scaling == "none" or constant.dimension not in ("J", "W/Hz"):
            return None
        if constant.scaling == "sram":
            return sram_factor(self.before_nm, self.after_nm) * self.ratio**2
        return logic_factor(self.before_nm, self.after_nm, self.before_vdd) * self.ratio**2

    def _how(self, constant: Constant) -> str:
        said = []
        if self.after_nm != self.before_nm and constant.scaling != "leakage":
            products = f"{data()['source']} and {data()['products']['source']}"
            by = SOURCE.format(flavour="all flavours of") if constant.scaling == "sram" else products
            said.append(f"scaled from {self.before_nm:g} to {self.after_nm:g} nm between {by}")
        if self.ratio != 1.0:
            power = "first to third power" if constant.scaling == "leakage" else "square"
            said.append(f"from {self.kept_vdd:.3g} to {self.after_vdd:g} V by the {power} of the supply")
        return "; ".join(said)


def plan(node_nm: float, vdd: float | None, to_nm: float | None, to_vdd: float | None) -> Move:
    """Return the move from ``node_nm`` and ``vdd`` to another node, supply or both; None leaves one as it is.

    Another node alone keeps the ratio to the nominal supply, so that energy follows the node.

    Raises
    ------
    KnobError
        If no scaling is published to the node, the chip states no supply, or the supply asked for is below 0.6 V,
        where the square no longer holds, or far above the chip's.
    """
    node = node_nm if to_nm is None else to_nm
    if vdd is None and to_vdd is not None:
        raise KnobError("the chip states no supply.", field="vdd", remedy="Leave the supply as it is.")
    kept = vdd
    if node != node_nm and vdd is not None:
        kept = vdd * nominal_vdd(node) / nominal_vdd(node_nm)
    if to_vdd is not None and to_vdd != kept:
        _check(to_vdd, kept)
    return Move(node_nm, node, kept, kept if to_vdd is None else to_vdd)


def _check(asked: float, kept: float) -> None:
    if asked < LOWEST_VDD:
        raise KnobError(
            f"below {LOWEST_VDD:g} V energy does not follow the square of the supply, and {asked:g} V was asked for.",
            field="vdd",
            remedy=f"Give {LOWEST_VDD:g} V or more, or a chip with constants published near its threshold.",
        )
    if asked > _HIGHEST_RATIO * kept:
        raise KnobError(
            f"{asked:g} V is far above the {kept:.3g} V of the chip.",
            field="vdd",
            remedy=f"Give at most {_HIGHEST_RATIO * kept:.3g} V.",
        )

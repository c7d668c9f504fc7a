"""The constants that one pricing leans on, each looked up once and kept for the report."""

from __future__ import annotations

from dataclasses import dataclass, field

from hw_models.chips import Chip
from hw_models.chips.terms import TableReference
from hw_models.report import Band, CostRow
from hw_models.technology import Constant


@dataclass(frozen=True)
class Used:
    """A constant in use: its name in the report, the constant, and its band in SI units."""

    key: str
    constant: Constant
    si: Band


@dataclass
class Book:
    """Constants of a chip, looked up once each; those of weak evidence are refused on the way."""

    chip: Chip
    used: dict[str, Used] = field(default_factory=dict)

    def use(self, name: str, weight_bits: int | None = None) -> Used:
        """Return the constant called ``name``, at ``weight_bits`` where it depends on them."""
        entry = self.chip.constants[name]
        by_width = isinstance(entry, TableReference) and entry.at == "weight_bits"
        key = f"{name} ({weight_bits} bits)" if by_width else name
        if key not in self.used:
            constant = self.chip.constant(name, weight_bits)
            self.used[key] = Used(key, constant, constant.si)
        return self.used[key]


@dataclass(frozen=True)
class Place:
    """Where a row of the report belongs."""

    phase: str
    component: str
    action: str
    entity: str
    kind: str


@dataclass(frozen=True)
class Product:
    """Constants multiplied with each other; the first of them says what a price includes."""

    factors: tuple[Used, ...]
    names: tuple[str, ...]
    si: Band
    known: tuple[str, str, str]

    @classmethod
    def of(cls, *factors: Used) -> Product:
        """Return the product of ``factors``."""
        product = Band.exact(1.0)
        for factor in factors:
            product = product * factor.si
        main = factors[0].constant
        names = tuple(factor.key for factor in factors)
        return cls(factors, names, product, (main.includes, str(main.evidence), main.source))


def row(place: Place, count: int, coefficient: float, product: Product) -> CostRow:
    """Return the row of ``coefficient`` x ``product``."""
    si, (includes, evidence, source) = product.si, product.known
    return CostRow(
        phase=place.phase,
        component=place.component,
        action=place.action,
        entity=place.entity,
        count=count,
        energy_j=coefficient * si.value,
        low_j=coefficient * si.low,
        high_j=coefficient * si.high,
        includes=includes,
        evidence=evidence,
        source=source,
        kind=place.kind,
        constants=product.names,
        coefficient=coefficient,
    )


DECLARED = "declared"
ZERO = "declared zero"


def zero_row(phase: str, action: str, entity: str, count: int, reason: str, kind: str) -> CostRow:
    """Return the row of something that the chip file declares to cost nothing, for a reason."""
    return CostRow(phase, ZERO, action, entity, count, 0.0, 0.0, 0.0, reason, DECLARED, "chip file", kind)

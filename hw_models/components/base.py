"""What a component is built in, and what comes out of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hw_models.errors import ChipError
from hw_models.technology import Constant, Move, load_table, nominal_vdd
from hw_models.technology.curve import Curve
from hw_models.technology.sram import DEFAULT_FLAVOUR, curve


@dataclass(frozen=True)
class Technology:
    """Node, supply and transistor flavour in which components are built.

    Published arithmetic is known at one node and scaled from there; SRAM banks were simulated at every node.
    """

    node_nm: float
    vdd: float | None = None
    flavour: str = DEFAULT_FLAVOUR

    def arithmetic(self, row: str, bits: int | None) -> Constant | dict[str, Any]:
        """Return a row of Horowitz' table at this node: a constant, or without ``bits`` a reference to its curve."""
        table = "horowitz_2014_45nm"
        published = load_table(table).rows[row].points[0][1]
        supply = self.vdd or nominal_vdd(self.node_nm)
        moves = (
            (Move(published.node_nm, self.node_nm, supply, supply, published.vdd),)
            if self.node_nm != published.node_nm
            else ()
        )
        if bits is None:
            return {"table": table, "row": row, "at": "weight_bits", "moves": moves}
        constant = load_table(table).constant(row, bits)
        for move in moves:
            constant = move(constant)
        return constant

    def bank(self, quantity: str) -> Curve:
        """Return a quantity of SRAM banks over their size in kB."""
        return curve(quantity, self.node_nm, self.flavour)


@dataclass
class Built:
    """Constants, action terms and area of a component, in the form of a chip file's tables."""

    constants: dict[str, Constant | dict[str, Any]] = field(default_factory=dict)
    actions: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    static: list[dict[str, Any]] = field(default_factory=list)
    area: list[dict[str, Any]] = field(default_factory=list)

    def constant(self, name: str, constant: Constant | dict[str, Any]) -> str:
        """Add a constant, or find it there unchanged, and return its name.

        Raises
        ------
        ChipError
            If the name stands for another constant already.
        """
        if self.constants.setdefault(name, constant) != constant:
            raise ChipError(
                f"two components give different constants {name!r}.", field="", remedy="Give them other names."
            )
        return name

    def term(self, counters: str | tuple[str, ...], component: str, price: str, **how: Any) -> None:
        """Add a term of ``price`` to one or more counters."""
        for counter in (counters,) if isinstance(counters, str) else counters:
            self.actions[counter].append({"component": component, "price": price, **how})

    def __iadd__(self, other: Built) -> Built:
        """Add what another component gives."""
        for name, constant in other.constants.items():
            self.constant(name, constant)
        for counter, terms in other.actions.items():
            self.actions[counter] += terms
        self.static += other.static
        self.area += other.area
        return self

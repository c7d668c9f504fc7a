"""What carries spikes and converts signals: routers, links between chips, converters."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hw_models.components.base import Built, Technology
from hw_models.technology import load_table
from hw_models.technology.packets import packet_bits

PACKET_BITS = 32


@dataclass(frozen=True)
class Router:
    """Routers between cores: every hop costs a row of the routing table; wires do not scale with logic.

    ``wire_mm``: length of the wire of a hop, priced bit by bit where the design's figure leaves it out. A packet has 32
    bits, as those of the designs, or as many as name one of ``neurons``.
    """

    name: str
    design: str = "isaac_32nm"
    wire_mm: Annotated[float, Field(gt=0)] | None = None
    neurons: Annotated[int, Field(gt=0)] | None = None

    def build(self, technology: Technology) -> Built:
        """Return the energy of a hop, and of its wire."""
        built = _link(self.name, f"{self.design}_hop", "hops", "router")
        if self.wire_mm is not None:
            bits = PACKET_BITS if self.neurons is None else packet_bits(self.neurons)
            wire = built.constant(f"{self.name}_wire", load_table("routing").constant("wire_bit_mm"))
            built.term("hops", "wire", wire, times=bits * self.wire_mm, kind="periphery")
        return built


@dataclass(frozen=True)
class OffchipLink:
    """The link to another chip: every packet that leaves costs a row of the routing table."""

    name: str
    design: str = "truenorth_28nm"

    def build(self, technology: Technology) -> Built:
        """Return the energy of a packet between chips."""
        return _link(self.name, f"{self.design}_chip", "offchip_packets", "link between chips")


@dataclass(frozen=True)
class Converter:
    """An 8-bit converter; ``actions`` says how many conversions each counted action takes."""

    name: str
    actions: dict[str, Annotated[float, Field(gt=0)]]

    def build(self, technology: Technology) -> Built:
        """Return the energy of a conversion with its terms."""
        built = Built()
        constant = load_table("crossbars").constant("conversion_8bit")
        price = built.constant(f"{self.name}_conversion", constant)
        for counter, times in self.actions.items():
            built.term(counter, "converter", price, times=times, kind="periphery")
        return built


def _link(name: str, row: str, counter: str, component: str) -> Built:
    built = Built()
    price = built.constant(name, load_table("routing").constant(row))
    built.term(counter, component, price, kind="periphery")
    return built

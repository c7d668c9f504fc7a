"""Arrays of synapses: weights in SRAM with their update logic, or memristors with converters and programming."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hw_models.components.arithmetic import Adder, Multiplier
from hw_models.components.base import Built, Technology
from hw_models.components.memory import SramBank
from hw_models.technology import load_table

INPUT_BITS = 8


@dataclass(frozen=True)
class DigitalSynapseArray:
    """Weights and accumulators in a bank of ``kb``, an adder for updates and a multiplier for real-valued input."""

    name: str
    kb: Annotated[float, Field(gt=0, le=1024)] = 8
    bits: Annotated[int, Field(ge=1, le=32)] = 32

    def build(self, technology: Technology) -> Built:
        """Return bank, adder and multiplier with their terms."""
        adds = {"weight_writes": 1.0, "suppressed_updates": 1.0, "accumulator_writes": 1.0}
        built = SramBank(self.name, self.kb, ("weights", "accumulators"), area=True).build(technology)
        built += Adder(self.name, self.bits, adds).build(technology)
        built += Multiplier(self.name).build(technology)
        return built


@dataclass(frozen=True)
class MemristiveSynapseArray:
    """An array of memristors: ``cells`` per weight, drivers of its rows, converters of its columns, programming.

    An event reads its cells and has its share of a driven row; each neuron's evaluation converts a column. A real input
    of 8 bits comes bit by bit: eight reads, its share of eight driven rows and of eight conversions of its column.
    ``write``: an open-loop ``pulse``, or ``program_verify``; a suppressed update and an accumulator cost the same.
    """

    name: str
    rows: Annotated[int, Field(gt=0)] = 128
    columns: Annotated[int, Field(gt=0)] = 128
    cells: Annotated[int, Field(gt=0)] = 2
    write: Literal["pulse", "program_verify"] = "pulse"
    convert: bool = True

    def build(self, technology: Technology) -> Built:
        """Return devices, drivers, converters and programming with their terms."""
        built, table = Built(), load_table("crossbars")

        def price(row: str) -> str:
            return built.constant(f"{self.name}_{row}", table.constant(row))

        read, drive, weights = price("cell_read"), price("row_drive"), self.columns / self.cells
        built.term("synaptic_events", "array", read, times=float(self.cells))
        built.term("macs", "array", read, times=float(self.cells * INPUT_BITS))
        built.term("synaptic_events", "row driver", drive, times=1 / weights)
        built.term("macs", "row driver", drive, times=INPUT_BITS / weights)
        if self.convert:
            conversion = price("conversion_8bit")
            built.term("neuron_updates", "converter", conversion, kind="periphery")
            built.term("macs", "converter", conversion, times=INPUT_BITS / self.rows, kind="periphery")
        change = price(self.write)
        built.term("weight_writes", "programming", change, per_copy=True)
        built.term(("suppressed_updates", "accumulator_writes"), "programming", change)
        return built

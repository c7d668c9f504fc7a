"""Neurons: digital ones in memory, analog ones as published cells."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hw_models.components.arithmetic import Adder
from hw_models.components.base import Built, Technology
from hw_models.components.memory import SramBank
from hw_models.technology import load_table


@dataclass(frozen=True)
class DigitalNeuron:
    """Neurons that share an adder, their state and traces in a bank of ``kb``.

    An event that arrives adds once, an evaluation twice (leak and threshold), a trace twice (decay and increment).
    """

    name: str
    kb: Annotated[float, Field(gt=0, le=1024)] = 1
    bits: Annotated[int, Field(ge=1, le=32)] = 32

    def build(self, technology: Technology) -> Built:
        """Return bank and adder with their terms."""
        adds = {"synaptic_events": 1.0, "macs": 1.0, "neuron_updates": 2.0, "trace_updates": 2.0}
        built = SramBank(self.name, self.kb, ("state", "traces")).build(technology)
        built += Adder(self.name, self.bits, adds).build(technology)
        return built


@dataclass(frozen=True)
class AnalogNeuron:
    """A published analog neuron: ``design`` names its rows in the table of analog neurons; it does not scale.

    ``standby`` names the design whose standby power is taken, where it publishes one.
    """

    name: str
    design: str
    standby: str | None = None

    def build(self, technology: Technology) -> Built:
        """Return energy of a spike, standby power and area as far as they are published."""
        built, table = Built(), load_table("analog_neurons")
        price = built.constant(f"{self.name}_spike", table.constant(f"{self.design}_spike"))
        built.term("spikes", "analog neuron", price)
        if self.standby is not None:
            power = built.constant(f"{self.name}_standby", table.constant(f"{self.standby}_standby"))
            built.static.append({"component": "neuron standby", "price": power})
        if f"{self.design}_area" in table.rows:
            area = built.constant(f"{self.name}_area", table.constant(f"{self.design}_area"))
            built.area.append({"component": "neurons", "price": area})
        return built

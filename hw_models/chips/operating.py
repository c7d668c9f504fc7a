"""Published operating points that a chip must reproduce, and variants: other published constants for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, InstanceOf, field_validator

from hw_models.chips.entry import Entry
from hw_models.chips.terms import TableReference
from hw_models.report import PARTS
from hw_models.technology import Constant, Evidence
from hw_models.technology.units import split_unit
from hw_models.workload import COUNTERS, ROUTING_COUNTERS, base_counter

RATES = tuple(dict.fromkeys((*map(base_counter, COUNTERS), *ROUTING_COUNTERS)))
QUANTITIES = {"power_w": "W", "energy_per_event_j": "J"}
Positive = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]


class OperatingPoint(Entry):
    """A published measurement with the rates at which it was taken.

    Parameters
    ----------
    quantity, measured, unit : the power of the chip, or its energy per synaptic event, and the published number.
    parts : the parts that the published number covers, all three unless it was published for some of them.
    rates : counted events per second of the whole chip, by counter; both directions together.
    independent : False where the chip's constants were taken from this very point, so that it checks nothing.
    node_nm, clock_hz, vdd, variant : where they differ from the chip's own.
    footprint_kb, neurons, cores, weight_bits : sizes that static terms and shares of a memory word need.
    """

    name: str
    source: str
    year: int
    evidence: Evidence
    quantity: Literal["power_w", "energy_per_event_j"]
    measured: Positive
    unit: str
    parts: tuple[Literal["static", "dynamic", "periphery"], ...] = PARTS
    rates: dict[str, Rate]
    independent: bool = True
    node_nm: Positive | None = None
    clock_hz: Positive | None = None
    vdd: Positive | None = None
    variant: str | None = None
    footprint_kb: Rate | None = None
    neurons: Annotated[int, Field(ge=0)] = 0
    cores: Annotated[int, Field(gt=0)] | None = None
    weight_bits: Annotated[int, Field(gt=0)] | None = None
    note: str = ""

    @field_validator("rates")
    @classmethod
    def _known(cls, rates: dict[str, float]) -> dict[str, float]:
        for counter in rates:
            if counter not in RATES:
                raise ValueError(f"{counter!r} is not a counter; known: {', '.join(RATES)}")
        return rates

    def measured_si(self) -> float:
        """Return the published number in watts or joules."""
        return self.measured * split_unit(self.unit)[1]


class Variant(Entry):
    """Constants that another publication gives for the same chip; the band of the default covers them."""

    title: str
    reason: str
    constants: dict[str, InstanceOf[Constant] | InstanceOf[TableReference]]

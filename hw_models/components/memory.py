"""SRAM banks and what they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hw_models.components.base import Built, Technology

Held = Literal["weights", "accumulators", "state", "traces"]
EVENTS = ("synaptic_events", "macs")


@dataclass(frozen=True)
class SramBank:
    """A bank of ``kb`` kilobytes with 64-bit words, and the accesses of what it ``holds``.

    weights: read by every event, read and written by every write (in every copy), read by a suppressed update.
    accumulators: read by a write, read and written by their own update. state: read and written by every event that
    arrives and by every evaluation of a neuron. traces: read and written as they advance, read by a suppressed update.
    ``area``: the bank gives the area of the network's memory per kB.
    """

    name: str
    kb: Annotated[float, Field(gt=0, le=1024)]
    holds: tuple[Held, ...]
    area: bool = False

    def build(self, technology: Technology) -> Built:
        """Return the bank's read, write and area, with the terms of what it holds."""
        built = Built()
        read, write = (
            built.constant(f"{self.name}_{access}", technology.bank(access).at(self.kb)) for access in ("read", "write")
        )
        for held in self.holds:
            _ACCESSES[held](built, read, write)
        if self.area:
            bank = technology.bank("area").at(self.kb)
            each = {key: getattr(bank, key) / self.kb for key in ("value", "low", "high")}
            says = f"area of an SRAM bank of {self.kb:g} kB with its decoders, per kB of the network"
            price = built.constant(f"{self.name}_area", replace(bank, **each, unit="mm2/kB", includes=says))
            built.area.append({"component": "memory", "price": price})
        return built


def _weights(built: Built, read: str, write: str) -> None:
    built.term(EVENTS, "weight memory", read, share="weight")
    for access in (read, write):
        built.term("weight_writes", "weight memory", access, share="weight", per_copy=True)
    built.term("suppressed_updates", "weight memory", read, share="weight")


def _accumulators(built: Built, read: str, write: str) -> None:
    built.term("weight_writes", "accumulator memory", read, share="accumulator")
    for access in (read, write):
        built.term("accumulator_writes", "accumulator memory", access, share="accumulator")


def _state(built: Built, read: str, write: str) -> None:
    for access in (read, write):
        built.term((*EVENTS, "neuron_updates"), "neuron memory", access, share="state")


def _traces(built: Built, read: str, write: str) -> None:
    for access in (read, write):
        built.term("trace_updates", "trace memory", access, share="trace")
    built.term("suppressed_updates", "trace memory", read, share="trace")


_ACCESSES = {"weights": _weights, "accumulators": _accumulators, "state": _state, "traces": _traces}

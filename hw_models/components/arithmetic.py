"""Adders and multipliers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hw_models.components.base import Built, Technology

Times = dict[str, Annotated[float, Field(gt=0)]]


@dataclass(frozen=True)
class Adder:
    """An integer adder of ``bits``; ``actions`` says how often each counted action adds."""

    name: str
    bits: Annotated[int, Field(ge=1, le=32)]
    actions: Times

    def build(self, technology: Technology) -> Built:
        """Return the adder's constant and terms."""
        built = Built()
        price = built.constant(f"add_{self.bits}", technology.arithmetic("int_add", self.bits))
        for counter, times in self.actions.items():
            built.term(counter, "adder", price, times=times)
        return built


@dataclass(frozen=True)
class Multiplier:
    """An integer multiplier of ``bits``, as wide as the weight where none are given; used by every MAC."""

    name: str
    bits: Annotated[int, Field(ge=1, le=32)] | None = None

    def build(self, technology: Technology) -> Built:
        """Return the multiplier's constant and term."""
        built = Built()
        name = "multiply" if self.bits is None else f"multiply_{self.bits}"
        built.term("macs", "multiplier", built.constant(name, technology.arithmetic("int_mult", self.bits)))
        return built

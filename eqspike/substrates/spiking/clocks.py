"""The three clocks that one network description runs on, and how a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from eqspike.core.config import Config


class Clocked(Config):
    """Every neuron advances by ``tick_s`` at a time, exactly; spikes fall on ticks. ``precision`` is 32 or 64 bits."""

    kind: Literal["clocked"] = "clocked"
    tick_s: float = Field(1e-4, gt=0)
    precision: Literal[32, 64] = 32


class FixedPoint(Config):
    """Ticks as :class:`Clocked` in the integers of a digital chip.

    Weights have ``weight_bits`` with sign, potentials ``potential_bits``; what does not fit saturates or wraps. Leaks and
    decays are right shifts: a time constant becomes the nearest ``tick_s`` 2^k.
    """

    kind: Literal["fixed-point"] = "fixed-point"
    tick_s: float = Field(1e-4, gt=0)
    weight_bits: int = Field(8, ge=1, le=16)
    potential_bits: int = Field(16, ge=4, le=32)
    overflow: Literal["saturate", "wrap"] = "saturate"


class Exact(Config):
    """No tick: the next threshold crossing follows in closed form, and work is done where an event happens."""

    kind: Literal["exact"] = "exact"


Clock = Clocked | FixedPoint | Exact


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``completed``, ``runaway`` (a layer's rate passed the limit) or ``not-finite``; when and where."""

    kind: Literal["completed", "runaway", "not-finite"]
    time_s: float
    layer: str = ""
    message: str = ""


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of a layer: times ``t`` (n,) in seconds, in order, and neurons ``i`` (n,)."""

    t: object
    i: object

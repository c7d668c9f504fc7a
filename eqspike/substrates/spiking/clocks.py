"""The three clocks that one network description runs on, and how a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from eqspike.core.config import Config


class Clocked(Config):
    """Every neuron advances by ``tick_s`` at a time, exactly; spikes fall on ticks. ``precision`` is 32 or 64 bits."""

    kind: Literal["clocked"] = "clocked"
    tick_s: float = Field(1e-4, gt=0)
    precision: Literal[32, 64] = 32


class FixedPoint(Config):
    """Ticks as :class:`Clocked` in the integers of a digital chip.

    Weights have ``weight_bits`` with sign, potentials ``potential_bits``; what does not fit saturates or wraps. The
    threshold lies 2^(potential_bits - 2) above rest, a projection's weights are integers times a power of two of that
    unit, as few as hold its largest. Leaks and decays are right shifts: a time constant becomes ``tick_s`` 2^k. What
    they take away is rounded away from zero, so that nothing stays for ever, what a current adds to nearest.
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
    """How a run ended, when and where: ``completed``, ``runaway`` (a rate passed the limit) or ``not-finite``."""

    kind: Literal["completed", "runaway", "not-finite"]
    time_s: float
    layer: str = ""
    message: str = ""


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of a layer: times ``t`` (n,) in seconds, in order, and neurons ``i`` (n,)."""

    t: np.ndarray
    i: np.ndarray

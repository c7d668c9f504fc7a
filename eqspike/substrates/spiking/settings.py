"""What a recipe says about the physics: input encoding and phases."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config


class Encoding(Config):
    """How an image drives the network.

    ``static``: pixel x is a constant current x; ``regular``: an evenly spaced train of ``max_rate`` x spikes a tick
    with a random phase per presentation; ``poisson``: a spike in each tick with probability ``max_rate`` x.
    """

    kind: Literal["static", "regular", "poisson"] = "static"
    max_rate: float = Field(1.0, gt=0, le=1)


class Phases(Config):
    """Ticks of the two phases; output spikes of the last ``readout_ticks`` of the free phase are the answer."""

    free_ticks: int = Field(120, ge=1, le=1_000_000)
    nudged_ticks: int = Field(80, ge=0, le=1_000_000)
    readout_ticks: int = Field(60, ge=1)

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.readout_ticks > self.free_ticks:
            raise ValueError("readout_ticks must not exceed free_ticks")
        return self

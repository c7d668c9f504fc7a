"""From settings to the run specification of their substrate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.training.hopfield_spec import HopfieldSpec
from eqspike.training.spec import RunSpec
from eqspike.training.spiking_spec import SpikingSpec

SPECS: dict[str, type[RunSpec]] = {"spiking": SpikingSpec, "hopfield": HopfieldSpec}


def parse_spec(settings: Mapping[str, Any], *, origin: str = "") -> RunSpec:
    """Return the specification that ``settings`` describe, for the substrate they name (by default spiking).

    Raises
    ------
    ConfigError
        if the substrate or a setting is unknown, or a value has the wrong type or range.
    """
    substrate = settings.get("substrate", "spiking")
    if substrate not in SPECS:
        raise ConfigError(
            f"there is no substrate {substrate!r}.",
            field=f"{origin}: substrate" if origin else "substrate",
            remedy=f"Known: {', '.join(SPECS)}.",
        )
    return SPECS[substrate].parse(settings, origin=origin)

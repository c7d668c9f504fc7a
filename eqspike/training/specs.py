"""From settings to the run specification of their substrate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.training import feedforward_spec, hopfield_spec
from eqspike.training.binary_spec import BinarySpec
from eqspike.training.spec import RunSpec
from eqspike.training.spiking_spec import SpikingSpec

SPECS: dict[str, type[RunSpec]] = {
    "spiking": SpikingSpec,
    "hopfield": hopfield_spec.HopfieldSpec,
    "binary": BinarySpec,
    "feedforward": feedforward_spec.FeedforwardSpec,
}
RULES = {**hopfield_spec.RULES, **feedforward_spec.RULES}  # by name, where a substrate knows several


def without_foreign(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``settings`` without what another rule, chosen by its name in ``changes``, knows nothing of.

    What ``changes`` sets itself stays: a mistake there is the user's to hear of.
    """
    rule = RULES.get(changes.get("rule.name"))
    if rule is None:
        return dict(settings)
    kept = {
        key: value for key, value in settings["rule"].items() if key in rule.model_fields or f"rule.{key}" in changes
    }
    return {**settings, "rule": kept}


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

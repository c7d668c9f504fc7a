"""How expectations and outcomes read: 97.60 %, +0.53 points, at least 96.90 %."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eqspike.claims.schema import Expectation
from eqspike.core.units import engineering, with_bounds

NONE = "-"
_BOUNDS = {"at_least": "at least", "at_most": "at most", "below": "below"}


def quantity_name(expectation: Expectation) -> str:
    """Return the name of a quantity in words: test accuracy; of an energy with its chip."""
    name = expectation.quantity.removesuffix("_j").replace("_", " ")
    return f"{name}, {expectation.chip}" if expectation.chip else name


def value_text(expectation: Expectation, value: float) -> str:
    """Return a value of what the expectation bounds: a quantity, a difference (accuracies in points) or a ratio."""
    is_share = expectation.quantity.endswith("_accuracy")
    if expectation.chip and expectation.by != "ratio":
        return engineering(value, "J")
    if expectation.compare is None:
        return f"{100 * value:.2f} %" if is_share else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if expectation.by == "ratio":
        return f"{value:.2f} x"
    return f"{100 * value:+.2f} points" if is_share else f"{value:+,.4g}"


def target_text(expectation: Expectation) -> str:
    """Return the bounds in words: at least 96.90 %, at most 0.50 x base, at least base -1.00 points, below base."""
    bounds = " and ".join(f"{_BOUNDS[name]} {_bound_text(expectation, at)}" for name, at in expectation.bounds.items())
    return (bounds or NONE) + (f" (aim {_bound_text(expectation, expectation.aim)})" if expectation.aim else "")


def _bound_text(expectation: Expectation, value: float) -> str:
    if expectation.compare is None:
        return value_text(expectation, value)
    if expectation.by == "ratio":
        return f"{value_text(expectation, value)} {expectation.compare}"
    return f"{expectation.compare} {value_text(expectation, value)}" if value else expectation.compare


def published_text(expectation: Expectation) -> str:
    """Return the published value."""
    return NONE if expectation.published is None else value_text(expectation, expectation.published)


def measured_text(expectation: Expectation, outcome: Mapping[str, Any]) -> str:
    """Return mean, standard deviation and number of seeds; of an energy also its band of prices."""
    if not outcome["n"]:
        return NONE
    said, spread = value_text(expectation, outcome["mean"]), ""
    if expectation.chip and expectation.compare is None:
        said = with_bounds(outcome["mean"], outcome["prices"]["low"], outcome["prices"]["high"], "J")
    if outcome["standard_deviation"] is not None:
        spread = f" ± {value_text(expectation, outcome['standard_deviation']).lstrip('+')}"
    seeds = "1 seed" if outcome["n"] == 1 else f"{outcome['n']} seeds"
    return f"{said}{spread} ({seeds})"

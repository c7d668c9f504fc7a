"""Place a network on a chip, or say which wall stands in the way and what would fit."""

from __future__ import annotations

from typing import Any

from hw_models.chips import Chip
from hw_models.errors import FitError
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.judge import Verdict, judge
from hw_models.mapping.placement import Placement
from hw_models.mapping.remedies import what_would_fit


def place(
    graph: NetworkGraph, chip: Chip, strategy: str = "auto", seed: int = 0, *, chips: int = 1, learning: bool = True
) -> Placement:
    """Return where ``graph`` lies on ``chip``; the arguments are those of :func:`judge`.

    Raises
    ------
    FitError
        If a wall stands in the way: names it, the demand, the limit, and what would fit.
    WorkloadError
        If the strategy is unknown.
    """
    verdict = judge(graph, chip, strategy, seed, chips=chips, learning=learning)
    if verdict.placement is None:
        raise refusal(verdict, what_would_fit(graph, chip, strategy, seed, chips=chips, learning=learning))
    return verdict.placement


def refusal(verdict: Verdict, remedies: tuple[str, ...]) -> FitError:
    """Return the error that says which walls a network meets and what would fit."""
    problem = "; ".join(map(str, verdict.walls)) + "."
    remedy = f"Would fit: {', or '.join(remedies)}." if remedies else " ".join(wall.remedy for wall in verdict.walls)
    return FitError(problem, field=verdict.chip, remedy=remedy)


def describe(verdict: Verdict, remedies: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a verdict as JSON types."""
    return {
        "fits": verdict.fits,
        "chip": verdict.chip,
        "chips_needed": verdict.chips_needed,
        "limits": [one.to_dict() for one in verdict.constraints],
        "walls": [one.to_dict() for one in verdict.walls],
        "budgets": [one.to_dict() for one in verdict.budgets],
        "would_fit": list(remedies),
        "synapse_bits": {name.removeprefix("synapse_bits_"): int(n) for name, n in verdict.demand.spare.items()},
        "placement": verdict.placement.summary() if verdict.placement else None,
    }

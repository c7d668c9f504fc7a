"""What a counted workload costs on a chip: every price with its band, its source and its grade of evidence.

``price(workload, load_chip("generic-45nm"))`` returns a :class:`CostReport`; ``available_chips()`` lists the chips.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Connection": "mapping",
    "GraphLayer": "mapping",
    "NetworkGraph": "mapping",
    "Placement": "mapping",
    "place": "mapping",
    "Band": "report",
    "CostReport": "report",
    "Chip": "chips",
    "available_chips": "chips",
    "load_chip": "chips",
    "LayerShape": "workload",
    "PhaseCounts": "workload",
    "ProjectionShape": "workload",
    "Workload": "workload",
    "footprint_kb": "estimator",
    "operating_points": "estimator",
    "ratio": "report",
    "price": "estimator",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

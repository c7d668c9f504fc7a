"""Networks onto the cores of a chip: does it fit, where does every neuron lie, and what travels between cores."""

from hw_models.mapping.graph import Connection, GraphLayer, NetworkGraph
from hw_models.mapping.judge import Verdict, judge
from hw_models.mapping.place import describe, place, refusal
from hw_models.mapping.placement import Placement
from hw_models.mapping.remedies import what_would_fit

__all__ = [
    "Connection",
    "GraphLayer",
    "NetworkGraph",
    "Placement",
    "Verdict",
    "describe",
    "judge",
    "place",
    "refusal",
    "what_would_fit",
]

"""Networks onto the cores of a chip: does it fit, where does every neuron lie, and what travels between cores."""

from hw_models.mapping.graph import Connection, GraphLayer, NetworkGraph
from hw_models.mapping.place import Verdict, describe, judge, place, refusal
from hw_models.mapping.placement import Placement

__all__ = ["Connection", "GraphLayer", "NetworkGraph", "Placement", "Verdict", "describe", "judge", "place", "refusal"]

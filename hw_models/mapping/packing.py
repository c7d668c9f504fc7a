"""From a network and a core's bounds to cores on a mesh, whichever way its synapses are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.chips.limits import Limits
from hw_models.mapping import partition, slices
from hw_models.mapping.arcs import Arc, Needs
from hw_models.mapping.bounds import UNLIMITED, Bounds
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.mesh import Mesh, seat
from hw_models.mapping.slices import NeuronTooLarge, Shapes
from hw_models.mapping.traffic import (
    Pairs,
    Traffic,
    pairs_of_shapes,
    pairs_of_wires,
    traffic_of_shapes,
    traffic_of_wires,
)
from hw_models.mapping.wires import Wires, wires_of

_TIGHTER = 12  # times that slices are made smaller until no core sends to too many


@dataclass(frozen=True, eq=False)
class Packed:
    """Cores of every neuron by layer, the cores on their mesh, what travels between them, and by which pairs."""

    core: dict[str, np.ndarray]
    mesh: Mesh
    traffic: Traffic
    between: Pairs

    @property
    def cores(self) -> int:
        return len(self.mesh.x)


@dataclass(eq=False)
class Packer:
    """Packs one network, as often as asked; what does not depend on the bounds is computed once.

    Parameters
    ----------
    arcs, needs : of ``graph``.
    """

    graph: NetworkGraph
    arcs: list[Arc]
    needs: Needs
    limits: Limits
    strategy: str
    seed: int
    wires: Wires | None = None
    shapes: Shapes | None = None

    def __post_init__(self) -> None:
        if self.graph.shapes_only:
            self.shapes = slices.shapes_of(self.graph, self.arcs, self.needs.bits)
        else:
            self.wires = wires_of(self.graph, self.arcs, self.needs.bits)

    def pack(self, bounds: Bounds) -> Packed:
        """Return the network in cores within ``bounds``, on a mesh.

        Raises
        ------
        NeuronTooLarge
            If a neuron alone passes them.
        """
        return self._by_wires(bounds) if self.wires else self._by_shapes(bounds)

    def layer_of(self, error: NeuronTooLarge) -> tuple[str, int]:
        """Return (layer, neuron in it) that is too large."""
        if self.shapes:
            return self.graph.layers[error.neuron].name, 0
        found = [name for name, first in self.wires.first.items() if first <= error.neuron][-1]
        return found, error.neuron - self.wires.first[found]

    def _by_wires(self, bounds: Bounds) -> Packed:
        core = partition.partition(self.wires, bounds, self.strategy, self.seed)
        between = pairs_of_wires(self.wires, core)
        mesh = seat(int(core.max()) + 1, self.limits, between, self.seed)
        first = self.wires.first
        by_layer = {one.name: core[first[one.name] : first[one.name] + one.neurons] for one in self.graph.layers}
        return Packed(by_layer, mesh, traffic_of_wires(self.wires, core, mesh, self.graph), between)

    def _by_shapes(self, bounds: Bounds) -> Packed:
        strategies = ("auto", "contiguous") if self.strategy == "auto" else (self.strategy,)
        found = [self._sliced(bounds, strategy) for strategy in strategies]
        return min(found, key=lambda one: (one.cores > bounds.cores, self._sent(one)))

    def _sliced(self, bounds: Bounds, strategy: str) -> Packed:
        """Pack slices, smaller ones of layers whose cores send to more destinations than they may."""
        at_most = np.full(len(self.graph.layers), UNLIMITED)
        for _ in range(_TIGHTER):
            cores = slices.pack(self.shapes, bounds, strategy, self.seed, at_most)
            core = {layer.name: part for layer, part in zip(self.graph.layers, cores, strict=True)}
            number = 1 + max(int(part.max()) for part in cores)
            between = pairs_of_shapes(self.graph, self.arcs, core)
            mesh = seat(number, self.limits, between, self.seed)
            traffic = traffic_of_shapes(self.graph, self.arcs, core, mesh, self.shapes)
            if not self._tightened(at_most, core, traffic, bounds.axons_out):
                break
        return Packed(core, mesh, traffic, between)

    def _tightened(self, at_most: np.ndarray, core: dict, traffic: Traffic, limit: int) -> bool:
        """Lower ``at_most`` of the layers in cores that send to more than ``limit``; return whether any could be."""
        over = traffic.axons_out > limit
        before = at_most.copy()
        for number, layer in enumerate(self.graph.layers if over.any() else ()):
            if layer.external or not traffic.packets[layer.name].any():
                continue
            held = np.bincount(core[layer.name], minlength=len(over))
            wide = over & (held > 1)
            if wide.any():
                room = held[wide] * limit // traffic.axons_out[wide]
                at_most[number] = min(at_most[number], max(1, int(room.min())))
        return bool((at_most < before).any())

    def _sent(self, packed: Packed) -> float:
        packets = packed.traffic.packets
        return sum(float(layer.spikes_per_neuron() @ packets[layer.name]) for layer in self.graph.layers)

"""What a placement sends: packets, hops, chip borders, spikes into each core, axons at each core."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from hw_models.mapping.arcs import Arc
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.mesh import Mesh
from hw_models.mapping.moves import deliver, pair
from hw_models.mapping.slices import Shapes
from hw_models.mapping.wires import Wires

_TABLED = 8192  # cores, up to which spikes between all pairs of them are tabled
_PAIRS = 2_000_000

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
NO_PAIRS: Pairs = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))

_ROUNDING = 1e-9  # a share of a layer's spikes that is only the rounding of their sum


@dataclass(frozen=True, eq=False)
class Traffic:
    """What one spike of each neuron sends, (n,) by layer, and what a presentation brings to each core.

    Parameters
    ----------
    packets, hops, borders : packets of a spike, the hops of all of them, and the chip borders that they cross.
    inflow, outside : (cores,) spikes of a presentation that come into a core from others, and from outside the chip.
    axons_in, axons_out : (cores,) sources that a core hears, destinations that its neurons send to.
    """

    packets: dict[str, np.ndarray]
    hops: dict[str, np.ndarray]
    borders: dict[str, np.ndarray]
    inflow: np.ndarray
    outside: np.ndarray
    axons_in: np.ndarray
    axons_out: np.ndarray


def pairs_of_wires(wires: Wires, core: np.ndarray) -> Pairs:
    """Return (from, to, spikes) between cores; nothing where there are too many cores to table them."""
    cores = int(core.max()) + 1
    if cores > _TABLED:
        return NO_PAIRS
    between, seen = np.zeros((cores, cores), np.float32), np.full(cores, -1, np.int64)
    pair(wires.starts, wires.targets, core, wires.spikes, seen, between)
    source, target = np.nonzero(between)
    return source, target, between[source, target].astype(np.float64)


def traffic_of_wires(wires: Wires, core: np.ndarray, mesh: Mesh, graph: NetworkGraph) -> Traffic:
    """Return the traffic of a network whose synapses are known one by one."""
    n, cores, tile = wires.neurons, len(mesh.x), mesh.tile
    packets, hops, borders = (np.zeros(n, np.int64) for _ in range(3))
    seen, reached = np.full(cores, -1, np.int64), np.full(int(tile.max()) + 1, -1, np.int64)
    inflow, outside, axons = np.zeros(cores), np.zeros(cores), np.zeros(cores, np.int64)
    deliver(
        wires.starts, wires.targets, core, wires.spikes, tile, mesh.x, mesh.y, mesh.chip_x, mesh.chip_y, seen, reached,
        packets, hops, borders, inflow, outside, axons,
    )  # fmt: skip
    sent = np.bincount(core[core >= 0], packets[core >= 0], minlength=cores).astype(np.int64)

    def by_layer(values: np.ndarray) -> dict[str, np.ndarray]:
        return {one.name: values[wires.first[one.name] : wires.first[one.name] + one.neurons] for one in graph.layers}

    return Traffic(by_layer(packets), by_layer(hops), by_layer(borders), inflow, outside, axons, sent)


def pairs_of_shapes(graph: NetworkGraph, arcs: list[Arc], core: dict[str, np.ndarray]) -> Pairs:
    """Return (from, to, spikes) between cores; nothing where dense layers spread over too many cores."""
    parts, number, leaving = [], 0, _leaving(arcs)
    present = {layer.name: np.unique(core[layer.name]) for layer in graph.placed}
    for layer in graph.placed:
        cores = present[layer.name]
        sent = np.bincount(core[layer.name], layer.spikes_per_neuron())[cores]
        for arc in leaving[layer.name]:
            if arc.kind == "dense":
                reached = present[arc.post]
                part = (np.repeat(cores, len(reached)), np.tile(reached, len(cores)), np.repeat(sent, len(reached)))
            else:
                part = (core[arc.pre], core[arc.post], layer.spikes_per_neuron())
            parts.append(part)
            number += len(part[0])
            if number > _PAIRS:
                return NO_PAIRS
    if not parts:
        return NO_PAIRS
    source, target, spikes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    apart = source != target
    return source[apart].astype(np.int64), target[apart].astype(np.int64), spikes[apart]


def traffic_of_shapes(
    graph: NetworkGraph, arcs: list[Arc], core: dict[str, np.ndarray], mesh: Mesh, shapes: Shapes
) -> Traffic:
    """Return the traffic of a network known by its shapes: all neurons of a slice send to the same cores."""
    cores = len(mesh.x)
    zeros = np.zeros(cores)
    found = Traffic({}, {}, {}, zeros, zeros.copy(), _axons_in(core, cores, shapes, graph), np.zeros(cores, np.int64))
    ground, leaving = _Ground(mesh), _leaving(arcs)
    present = {layer.name: np.unique(core[layer.name]) for layer in graph.layers}
    for layer in graph.layers:
        own, spikes = core[layer.name], layer.spikes_per_neuron()
        posts = [present[arc.post] for arc in leaving[layer.name] if arc.kind == "dense"]
        dense = posts[0] if len(posts) == 1 else np.unique(np.concatenate([np.zeros(0, np.int32), *posts]))
        lone = [core[arc.post] for arc in leaving[layer.name] if arc.kind == "one-to-one"]
        each = ground.dense(present[layer.name], dense)
        packets, hops, borders = (values[np.searchsorted(present[layer.name], own)] for values in each)
        inflow = found.outside if layer.external else found.inflow
        _add_inflow(inflow, own, spikes, dense)
        for place, there in enumerate(lone):
            fresh = there != own
            fresh &= ~np.isin(there, dense)
            for other in lone[:place]:
                fresh &= there != other
            np.add.at(inflow, there[fresh], spikes[fresh])
            new = fresh & ~ground.covered(own, there, dense)
            for other in lone[:place]:
                new &= (ground.tile[there] != ground.tile[other]) | (other == own)
            packets += new
            hops += new * ground.distance(own, there)
            borders += new * ground.borders(own, there)
        found.packets[layer.name], found.hops[layer.name], found.borders[layer.name] = packets, hops, borders
        if not layer.external:
            np.add.at(found.axons_out, own, packets)
    return found


class _Ground:
    """Distances over a mesh, an input from outside (core -1) entering at the origin."""

    def __init__(self, mesh: Mesh) -> None:
        self.tile = mesh.tile
        self.axes = [np.append(axis, 0) for axis in (mesh.x, mesh.y, mesh.chip_x, mesh.chip_y)]
        spans = (np.arange(int(axis.max()) + 1) for axis in self.axes)
        self.apart = [np.abs(span[:, None] - span[None]) for span in spans]

    def distance(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return the hops between cores."""
        return sum(np.abs(axis[source] - axis[target]) for axis in self.axes[:2])

    def borders(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return the chip borders between cores."""
        return sum(np.abs(axis[source] - axis[target]) for axis in self.axes[2:])

    def dense(self, own: np.ndarray, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return packets, hops and borders of a spike from each core of ``own`` to all cores of ``reached``."""
        if not len(reached):
            return tuple(np.zeros(len(own), np.int64) for _ in range(3))
        tiles, first, counts = np.unique(self.tile[reached], return_index=True, return_counts=True)
        heads = reached[first]
        alone = np.isin(own, reached)
        alone[alone] &= counts[np.searchsorted(tiles, self.tile[own[alone]])] == 1
        sums = [
            (apart[axis[own]] @ np.bincount(axis[heads], minlength=len(apart)))
            for axis, apart in zip(self.axes, self.apart, strict=True)
        ]
        return len(tiles) - alone.astype(np.int64), sums[0] + sums[1], sums[2] + sums[3]

    def covered(self, own: np.ndarray, there: np.ndarray, dense: np.ndarray) -> np.ndarray:
        """Return whether a packet to the cores ``dense`` already stops at the tile of ``there``."""
        if not len(dense):
            return np.zeros(len(there), bool)
        counts = np.bincount(self.tile[dense], minlength=int(self.tile.max()) + 1)[self.tile[there]]
        mine = np.isin(own, dense) & (self.tile[own] == self.tile[there])
        return counts > mine


def _leaving(arcs: list[Arc]) -> dict[str, list[Arc]]:
    found: dict[str, list[Arc]] = defaultdict(list)
    for arc in arcs:
        found[arc.pre].append(arc)
    return found


def _add_inflow(inflow: np.ndarray, own: np.ndarray, spikes: np.ndarray, reached: np.ndarray) -> None:
    if not len(reached):
        return
    inside = own >= 0
    from_core = np.bincount(own[inside], spikes[inside], minlength=len(inflow))
    from_others = spikes.sum() - from_core[reached]
    inflow[reached] += np.where(from_others > _ROUNDING * spikes.sum(), from_others, 0.0)


def _axons_in(core: dict[str, np.ndarray], cores: int, shapes: Shapes, graph: NetworkGraph) -> np.ndarray:
    held: list[dict[int, int]] = [{} for _ in range(cores)]
    for number, layer in enumerate(graph.layers):
        if not layer.external:
            for place, neurons in zip(*np.unique(core[layer.name], return_counts=True), strict=True):
                held[place][number] = int(neurons)
    return np.array([shapes.axons(one) for one in held], np.int64)

"""Networks known by the shapes of their layers: neurons of a layer are alike, so slices of layers are placed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hw_models.mapping.arcs import Arc
from hw_models.mapping.bounds import Bounds
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.partition import NeuronTooLarge

_LOOK_BACK = 8  # cores that are still open, looked at for a layer's rest beside those of its neighbours


@dataclass(eq=False)
class Shapes:
    """Layers by number: neurons, bits of one neuron, spikes of one, and the layers that each hears.

    ``dense[k]`` are numbers of layers of which every neuron reaches each of layer k, ``lone[k]`` the number of
    one-to-one connections onto it from other layers.
    """

    sizes: np.ndarray
    bits: np.ndarray
    spikes: np.ndarray
    placed: np.ndarray
    dense: list[set[int]]
    lone: list[set[int]]
    near: list[dict[int, float]] = field(default_factory=list)

    def axons(self, held: dict[int, int]) -> int:
        """Return how many sources a core hears that holds ``held[k]`` neurons of each layer k."""
        heard = set().union(*(self.dense[layer] for layer in held)) if held else set()
        lone = sum(number * len(self.lone[layer] - heard) for layer, number in held.items())
        return int(sum(self.sizes[layer] for layer in heard)) + lone


def shapes_of(graph: NetworkGraph, arcs: list[Arc], bits: dict[str, np.ndarray]) -> Shapes:
    """Return the layers of ``graph`` as numbers."""
    number = {layer.name: k for k, layer in enumerate(graph.layers)}
    dense: list[set[int]] = [set() for _ in graph.layers]
    lone: list[set[int]] = [set() for _ in graph.layers]
    near: list[dict[int, float]] = [{} for _ in graph.layers]
    spikes = np.array([layer.spikes_per_neuron().mean() for layer in graph.layers])
    for arc in arcs:
        pre, post = number[arc.pre], number[arc.post]
        (dense if arc.kind == "dense" else lone)[post].add(pre)
        weight = spikes[pre] * (graph.layers[pre].neurons if arc.kind == "dense" else 1)
        near[post][pre] = near[post].get(pre, 0.0) + weight
        near[pre][post] = near[pre].get(post, 0.0) + weight
    return Shapes(
        np.array([layer.neurons for layer in graph.layers]),
        np.array([bits[layer.name][0] for layer in graph.layers]),
        spikes,
        np.array([not layer.external for layer in graph.layers]),
        dense,
        lone,
        near,
    )


def pack(shapes: Shapes, bounds: Bounds, strategy: str, seed: int, at_most: np.ndarray) -> list[np.ndarray]:
    """Return the core of every neuron, one array per layer, -1 of inputs from outside.

    Parameters
    ----------
    at_most : (layers,) neurons of each layer in one core.

    Raises
    ------
    NeuronTooLarge
        If a neuron alone passes what a core holds; the number is that of its layer.
    """
    for layer in np.flatnonzero(shapes.placed):
        if _most(shapes, bounds, int(layer), {}) < 1:
            raise NeuronTooLarge(int(layer))
    if strategy == "auto":
        return _by_layer(shapes, bounds, at_most)
    layer_of = np.repeat(np.arange(len(shapes.sizes)), np.where(shapes.placed, shapes.sizes, 0))
    order = np.arange(len(layer_of))
    if strategy == "random":
        order = np.random.default_rng(seed).permutation(order)
    core = np.empty(len(order), np.int32)
    core[order] = _in_order(shapes, bounds, layer_of[order], at_most)
    ends = np.cumsum(np.where(shapes.placed, shapes.sizes, 0))[:-1]
    parts = np.split(core, ends)
    return [
        part if placed else np.full(size, -1, np.int32)
        for part, placed, size in zip(parts, shapes.placed, shapes.sizes, strict=True)
    ]


def _in_order(shapes: Shapes, bounds: Bounds, layer_of: np.ndarray, at_most: np.ndarray) -> np.ndarray:
    """Return the cores of neurons that are taken as they come, each core as full as its limits allow."""
    core, memory = np.empty(len(layer_of), np.int32), np.cumsum(shapes.bits[layer_of])
    first, number = 0, 0
    while first < len(layer_of):
        already = memory[first - 1] if first else 0
        last = min(first + bounds.neurons, int(np.searchsorted(memory, already + bounds.bits, "right")))
        last = _reach(shapes, bounds, layer_of, at_most, first, min(last, len(layer_of)))
        core[first:last] = number
        first, number = last, number + 1
    return core


def _reach(shapes: Shapes, bounds: Bounds, layer_of: np.ndarray, at_most: np.ndarray, first: int, last: int) -> int:
    """Return how far from ``first`` a core can go without too many sources, or neurons of one layer."""

    def fits(end: int) -> bool:
        layers, numbers = np.unique(layer_of[first:end], return_counts=True)
        if (numbers > at_most[layers]).any():
            return False
        return shapes.axons(dict(zip(layers.tolist(), numbers.tolist(), strict=True))) <= bounds.axons_in

    if fits(last):
        return last
    low, high = first + 1, last - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _most(shapes: Shapes, bounds: Bounds, layer: int, held: dict[int, int]) -> int:
    """Return how many neurons of ``layer`` a core still takes that holds ``held``."""
    memory = sum(number * int(shapes.bits[other]) for other, number in held.items())
    room = bounds.neurons - sum(held.values())
    if shapes.bits[layer]:
        room = min(room, (bounds.bits - memory) // int(shapes.bits[layer]))
    with_one = shapes.axons(held | {layer: held.get(layer, 0) + 1})
    if room < 1 or with_one > bounds.axons_in:
        return 0
    each = shapes.axons(held | {layer: held.get(layer, 0) + 2}) - with_one
    return min(room, 1 + (bounds.axons_in - with_one) // each) if each > 0 else room


def _by_layer(shapes: Shapes, bounds: Bounds, at_most: np.ndarray) -> list[np.ndarray]:
    """Give each layer as few cores as it needs, its rest to the open core that it talks with most."""
    cores: list[dict[int, int]] = []
    core_of = [np.full(size, -1, np.int32) for size in shapes.sizes]
    homes: dict[int, list[int]] = {}
    for layer in map(int, np.flatnonzero(shapes.placed)):
        n, done, most = int(shapes.sizes[layer]), 0, min(_most(shapes, bounds, layer, {}), int(at_most[layer]))
        homes[layer] = []
        while done < n:
            part = min(most, n - done)
            chosen = _best_open(shapes, bounds, cores, homes, layer, part) if part < most or part == 1 else None
            if chosen is None:
                chosen = len(cores)
                cores.append({})
            cores[chosen][layer] = cores[chosen].get(layer, 0) + part
            core_of[layer][done : done + part] = chosen
            homes[layer].append(chosen)
            done += part
    return core_of


def _best_open(
    shapes: Shapes, bounds: Bounds, cores: list[dict[int, int]], homes: dict[int, list[int]], layer: int, part: int
) -> int | None:
    near = shapes.near[layer]
    last = {core for other in near if other in homes for core in homes[other][-_LOOK_BACK:]}
    last |= set(range(max(0, len(cores) - _LOOK_BACK), len(cores)))
    last -= set(homes[layer])  # a core that holds some of the layer holds all that it may
    fitting = [core for core in last if _most(shapes, bounds, layer, cores[core]) >= part]
    if not fitting:
        return None
    return max(fitting, key=lambda core: (sum(near.get(other, 0.0) * n for other, n in cores[core].items()), -core))

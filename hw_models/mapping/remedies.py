"""What would fit where a network does not: narrower weights, more chips, smaller layers, inference alone."""

from __future__ import annotations

from collections.abc import Callable

from hw_models.chips import Chip
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.judge import judge

_FEW_SYNAPSES = 1_000_000  # beyond, only the quickest placement is tried for each remedy


def what_would_fit(
    graph: NetworkGraph, chip: Chip, strategy: str = "auto", seed: int = 0, *, chips: int = 1, learning: bool = True
) -> tuple[str, ...]:
    """Return changes that each make ``graph`` fit ``chip``, in words; nothing where no single change does."""
    if strategy == "auto" and not graph.shapes_only and _synapses(graph) > _FEW_SYNAPSES:
        strategy = "contiguous"

    def fits(
        candidate: NetworkGraph, *, strategy: str = strategy, chips: int = chips, learning: bool = learning
    ) -> bool:
        return judge(candidate, chip, strategy, seed, chips=chips, learning=learning).fits

    first, widest = [], max((c.weight_bits for c in graph.connections), default=0)
    limit = chip.limits.weight_bits
    if limit is not None and limit.kind == "wall" and widest > limit.value > 0:
        graph, widest = graph.with_weight_bits(limit.value), limit.value
        first = [f"weight_bits <= {limit.value}"]
        if fits(graph):
            return tuple(first)
    found = []
    if strategy == "random" and fits(graph, strategy="contiguous"):
        found.append("another strategy")
    needed = judge(graph, chip, strategy, seed, chips=chips, learning=learning).chips_needed
    if needed is not None and needed > chips and fits(graph, chips=needed):
        found.append(f"{needed} chips")
    if learning and fits(graph, learning=False):
        found.append("inference alone, without accumulators")
    narrower = []
    if bits := _largest(widest, lambda bits: fits(graph.with_weight_bits(bits))):
        narrower = [f"weight_bits <= {bits}"]
    if graph.shapes_only:
        found += _smaller_layers(graph, fits)
    return (*(" and ".join([*first, one]) for one in found), *narrower)


def _smaller_layers(graph: NetworkGraph, fits: Callable[[NetworkGraph], bool]) -> list[str]:
    """Return the largest size of each layer, the others as they are; else of all of them together."""
    tied = {end for c in graph.connections if c.kind == "one-to-one" for end in (c.pre, c.post)}
    sending = {c.pre for c in graph.connections} - tied
    free = [layer for layer in graph.layers if layer.name in sending]
    found = []
    for layer in free:
        if size := _largest(layer.neurons, lambda n, name=layer.name: fits(graph.resized(name, n))):
            found.append(f"{layer.name} <= {size}")
    if found or not free:
        return found

    def scaled(thousandths: int) -> NetworkGraph:
        smaller = graph
        for layer in free:
            smaller = smaller.resized(layer.name, max(1, layer.neurons * thousandths // 1000))
        return smaller

    if share := _largest(1000, lambda thousandths: fits(scaled(thousandths))):
        sizes = (f"{layer.name} <= {max(1, layer.neurons * share // 1000)}" for layer in free)
        return [" and ".join(sizes)]
    return []


def _largest(present: int, works: Callable[[int], bool]) -> int | None:
    """Return the largest number below ``present`` that works, taking it that smaller ones work too."""
    if present <= 1 or not works(1):
        return None
    low, high = 1, present - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if works(middle) else (low, middle - 1)
    return low


def _synapses(graph: NetworkGraph) -> int:
    return sum(len(c.targets) for c in graph.connections if c.targets is not None)

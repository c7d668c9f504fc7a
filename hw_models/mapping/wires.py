"""All synapses of a network as compressed rows over one numbering of its neurons, out of and into each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.errors import WorkloadError
from hw_models.mapping.arcs import Arc, degrees
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.rows import place_dense, place_one_to_one, place_rows, transpose

MOST_SYNAPSES = 500_000_000  # 4 bytes each, out and in


@dataclass(frozen=True, eq=False)
class Wires:
    """Neurons numbered layer by layer, and their synapses.

    Parameters
    ----------
    first : number of the first neuron of each layer, by name.
    starts, targets : (n + 1,) and (n_synapses,), rows of outgoing synapses.
    in_starts, sources : the same of incoming ones.
    spikes : (n,) of a presentation.
    weight : (n,) 1 for neurons to place, 0 for inputs from outside the chip.
    bits : (n,) stored synaptic bits.
    """

    first: dict[str, int]
    starts: np.ndarray
    targets: np.ndarray
    in_starts: np.ndarray
    sources: np.ndarray
    spikes: np.ndarray
    weight: np.ndarray
    bits: np.ndarray

    @property
    def neurons(self) -> int:
        return len(self.weight)


def wires_of(graph: NetworkGraph, arcs: list[Arc], bits: dict[str, np.ndarray]) -> Wires:
    """Return the synapses of ``graph``; ``bits`` are what each neuron of a layer stores.

    Raises
    ------
    WorkloadError
        If there are more synapses than can be placed one by one.
    """
    first, n = {}, 0
    for layer in graph.layers:
        first[layer.name], n = n, n + layer.neurons
    counts = np.zeros(n + 1, np.int64)
    for arc in arcs:
        leaving = degrees(graph, arc)[0]
        counts[first[arc.pre] + 1 : first[arc.pre] + 1 + len(leaving)] += leaving
    starts = np.cumsum(counts)
    if starts[-1] > MOST_SYNAPSES:
        raise WorkloadError(
            f"{starts[-1]:,} synapses are too many to place one by one.",
            field=graph.name,
            remedy=f"Give at most {MOST_SYNAPSES:,}, or connections by their shape alone.",
        )
    targets = _targets(graph, arcs, first, starts)
    in_starts, sources = np.zeros(n + 1, np.int64), np.empty(len(targets), np.int32)
    transpose(starts, targets, in_starts, sources)
    spikes = np.concatenate([layer.spikes_per_neuron() for layer in graph.layers])
    weight = np.concatenate([np.full(layer.neurons, not layer.external, np.int64) for layer in graph.layers])
    memory = np.concatenate([bits[layer.name] for layer in graph.layers])
    return Wires(first, starts, targets, in_starts, sources, spikes, weight, np.where(weight > 0, memory, 0))


def _targets(graph: NetworkGraph, arcs: list[Arc], first: dict[str, int], starts: np.ndarray) -> np.ndarray:
    """Return the rows of all arcs, those of one neuron one arc after the other; a lone layer's own array as it is."""
    if len(arcs) == 1 and len(graph.layers) == 1 and arcs[0].kind == "sparse" and not arcs[0].backward:
        return np.ascontiguousarray(arcs[0].connection.targets, np.int32)
    targets, cursor = np.empty(starts[-1], np.int32), starts[:-1].copy()
    for arc in arcs:
        n_pre, n_post = graph.layer(arc.pre).neurons, graph.layer(arc.post).neurons
        part = cursor[first[arc.pre] : first[arc.pre] + n_pre]
        if arc.kind == "dense":
            place_dense(n_post, first[arc.post], part, targets)
        elif arc.kind == "one-to-one":
            place_one_to_one(first[arc.post], part, targets)
        else:
            place_rows(*rows_of(arc, n_pre), first[arc.post], part, targets)
    return targets


def rows_of(arc: Arc, n_pre: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, targets) of a sparse arc in its own direction."""
    starts, targets = arc.connection.starts.astype(np.int64), arc.connection.targets.astype(np.int32, copy=False)
    if not arc.backward:
        return starts, targets
    turned, sources = np.zeros(n_pre + 1, np.int64), np.empty(len(targets), np.int32)
    transpose(starts, targets, turned, sources)
    return turned, sources

"""Fan-in trees: a neuron with more synapses than a chip allows gets relay neurons that each serve some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from hw_models.mapping.arcs import arcs_of, needs_of
from hw_models.mapping.graph import Connection, GraphLayer, NetworkGraph


@dataclass(frozen=True, eq=False)
class Grafted:
    """A graph with relay neurons; ``serves[relay layer]`` is the layer whose synapses its neurons took over."""

    graph: NetworkGraph
    serves: dict[str, str]

    @property
    def relays(self) -> int:
        """Number of relay neurons."""
        return sum(self.graph.layer(name).neurons for name in self.serves)


def with_trees(graph: NetworkGraph, most: int) -> Grafted:
    """Return ``graph`` with no neuron above ``most`` synapses; a relay fires as often as the neuron that it serves.

    Connections onto a layer with relays become explicit, and both directions of a bidirectional one are stored.
    """
    serves: dict[str, str] = {}
    while most > 1:
        fan_in = needs_of(graph, arcs_of(graph, 2, learning=False)).fan_in
        wide = [layer for layer in graph.placed if fan_in[layer.name].max() > most]
        if not wide:
            break
        for layer in wide:
            graph, relay = _grafted(graph, layer, most)
            serves[relay] = serves.get(layer.name, layer.name)
    return Grafted(graph, serves)


def _grafted(graph: NetworkGraph, layer: GraphLayer, most: int) -> tuple[NetworkGraph, str]:
    """Return ``graph`` with one layer of relays before ``layer``, and the relays' name."""
    graph = replace(graph, connections=tuple(_one_way(graph, layer.name)))
    onto = [c for c in graph.connections if c.post == layer.name]
    pres, posts, number = _pairs(graph, onto)
    order = np.argsort(posts, kind="stable")
    each = np.bincount(posts, minlength=layer.neurons)
    within = np.arange(len(posts)) - np.repeat(np.cumsum(each) - each, each)
    relays = -(-each // most)
    first = np.cumsum(relays) - relays
    relay = np.empty(len(posts), np.int64)
    relay[order] = first[posts[order]] + within // most
    taken = {one.name for one in graph.layers}
    name = next(name for k in count(1) if (name := f"{layer.name}~relay{k}") not in taken)
    served = np.repeat(np.arange(layer.neurons), relays)
    spikes = layer.spikes_per_neuron()[served]
    layers = [*graph.layers, GraphLayer(name, len(served), spikes, state_bits=layer.state_bits)]
    connections = [c for c in graph.connections if c.post != layer.name]
    for place, connection in enumerate(onto):
        chosen = number == place
        n_pre = graph.layer(connection.pre).neurons
        starts, targets = _rows(pres[chosen], relay[chosen], n_pre)
        connections.append(
            replace(connection, post=name, kind="sparse", starts=starts, targets=targets, label=connection.name)
        )
    starts, targets = _rows(np.arange(len(served)), served, len(served))
    bits = min(c.weight_bits for c in onto)
    connections.append(Connection(name, layer.name, "sparse", starts, targets, weight_bits=bits, label="tree"))
    return replace(graph, layers=tuple(layers), connections=tuple(connections)), name


def _one_way(graph: NetworkGraph, name: str) -> list[Connection]:
    """Return the connections, bidirectional ones at ``name`` as two: each end has synapses of its own."""
    found = []
    for connection in graph.connections:
        if not connection.bidirectional or name not in (connection.pre, connection.post):
            found.append(connection)
            continue
        forward = replace(connection, bidirectional=False)
        pres, posts, _ = _pairs(graph, [forward])
        starts, targets = _rows(posts, pres, graph.layer(connection.post).neurons)
        back = replace(
            forward, pre=connection.post, post=connection.pre, kind="sparse", starts=starts, targets=targets,
            accumulator_bits=0, label=f"{connection.name} backwards",
        )  # fmt: skip
        found += [forward, back]
    return found


def _pairs(graph: NetworkGraph, connections: list[Connection]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (pre, post, number of the connection) of every synapse."""
    parts = []
    for number, connection in enumerate(connections):
        n_pre, n_post = graph.layer(connection.pre).neurons, graph.layer(connection.post).neurons
        if connection.kind == "dense":
            pre, post = np.repeat(np.arange(n_pre), n_post), np.tile(np.arange(n_post), n_pre)
        elif connection.kind == "one-to-one":
            pre = post = np.arange(n_pre)
        else:
            pre = np.repeat(np.arange(n_pre), np.diff(connection.starts))
            post = connection.targets.astype(np.int64)
        parts.append((pre, post, np.full(len(pre), number)))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _rows(pre: np.ndarray, post: np.ndarray, n_pre: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n_pre))]).astype(np.int64)
    return starts, post[np.argsort(pre, kind="stable")].astype(np.int32)

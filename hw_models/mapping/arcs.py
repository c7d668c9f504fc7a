"""Connections as arcs: one per direction in which spikes travel, with the bits that are stored at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hw_models.mapping.graph import Connection, Kind, NetworkGraph


@dataclass(frozen=True, eq=False)
class Arc:
    """Spikes of ``pre`` reach ``post``; each of its synapses takes ``bits`` of memory at the post neuron's core."""

    pre: str
    post: str
    kind: Kind
    bits: float
    connection: Connection
    backward: bool = False


def arcs_of(graph: NetworkGraph, copies: int, *, learning: bool, room: float | None = None) -> list[Arc]:
    """Return the arcs of ``graph``: a bidirectional connection has two, the backward one stored where ``copies`` is 2.

    While ``learning``, plastic synapses also hold their accumulators, once. ``room``: plain memory that all copies of
    a bidirectional weight take, as a multiple of its bits; more than its copies where cells are larger.
    """
    cell = 1.0 if room is None else room / copies
    found = []
    for connection in graph.connections:
        bits = connection.weight_bits
        held = connection.accumulator_bits if learning and connection.plastic else 0
        bits *= cell if connection.bidirectional else 1.0
        found.append(Arc(connection.pre, connection.post, connection.kind, bits + held, connection))
        if connection.bidirectional:
            stored = bits if copies > 1 else 0.0
            found.append(Arc(connection.post, connection.pre, connection.kind, stored, connection, backward=True))
    return found


def degrees(graph: NetworkGraph, arc: Arc) -> tuple[np.ndarray, np.ndarray]:
    """Return (synapses that leave each pre neuron, synapses that reach each post neuron)."""
    n_pre, n_post = graph.layer(arc.pre).neurons, graph.layer(arc.post).neurons
    if arc.kind == "sparse":
        leaving = np.diff(arc.connection.starts).astype(np.int64)
        reaching = count_targets(arc.connection.targets, n_pre if arc.backward else n_post)
        return (reaching, leaving) if arc.backward else (leaving, reaching)
    ones = arc.kind == "one-to-one"
    return np.full(n_pre, 1 if ones else n_post, np.int64), np.full(n_post, 1 if ones else n_pre, np.int64)


def synapses_of(graph: NetworkGraph, arc: Arc) -> int:
    """Return the number of synapses of an arc."""
    n_pre, n_post = graph.layer(arc.pre).neurons, graph.layer(arc.post).neurons
    if arc.kind == "sparse":
        return len(arc.connection.targets)
    return n_pre if arc.kind == "one-to-one" else n_pre * n_post


def stored_bits(graph: NetworkGraph, arcs: list[Arc]) -> int:
    """Return the bits of memory that all stored synapses and biases take."""
    biases = sum(layer.neurons * layer.bias_bits for layer in graph.layers)
    return biases + sum(int(_whole(synapses_of(graph, arc) * arc.bits)) for arc in arcs)


def _whole(bits: np.ndarray | float) -> np.ndarray:
    """Return bits rounded up, a rounding error of a product aside."""
    return np.ceil(np.round(bits, 6)).astype(np.int64)


def mean_fans(graph: NetworkGraph, connection: Connection) -> tuple[float, float]:
    """Return (mean synapses that leave a pre neuron, mean synapses that reach a post neuron)."""
    synapses = synapses_of(graph, Arc(connection.pre, connection.post, connection.kind, 0, connection))
    return synapses / graph.layer(connection.pre).neurons, synapses / graph.layer(connection.post).neurons


def count_targets(targets: np.ndarray, n_post: int) -> np.ndarray:
    """Return how many synapses reach each post neuron, in stretches so that no wide copy is made."""
    counts = np.zeros(n_post, np.int64)
    for first in range(0, len(targets), 1 << 23):
        counts += np.bincount(targets[first : first + (1 << 23)], minlength=n_post)
    return counts


@dataclass(frozen=True, eq=False)
class Needs:
    """What each neuron of each placed layer needs: synapses in and out, and stored bits."""

    fan_in: dict[str, np.ndarray]
    fan_out: dict[str, np.ndarray]
    bits: dict[str, np.ndarray]


def needs_of(graph: NetworkGraph, arcs: list[Arc]) -> Needs:
    """Return what each neuron needs."""
    fan_in = {layer.name: np.zeros(layer.neurons, np.int64) for layer in graph.layers}
    fan_out = {layer.name: np.zeros(layer.neurons, np.int64) for layer in graph.layers}
    bits = {layer.name: np.full(layer.neurons, layer.bias_bits, np.int64) for layer in graph.layers}
    for arc in arcs:
        leaving, reaching = degrees(graph, arc)
        fan_out[arc.pre] += leaving
        fan_in[arc.post] += reaching
        if arc.bits:
            bits[arc.post] += _whole(reaching * arc.bits)
    return Needs(fan_in, fan_out, bits)

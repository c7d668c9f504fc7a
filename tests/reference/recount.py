"""A recount of events from recorded spikes through the explicit adjacency, synapse by synapse."""

from __future__ import annotations

from collections import Counter

import numpy as np

from eqspike.network.description import Network


def adjacency(network: Network) -> list[tuple[str, str, int, str, int, str]]:
    """List every directed connection: (projection, direction, from neuron, from layer, to neuron, to layer)."""
    connections = []
    for p in network.projections:
        for i in range(network.layer(p.pre).size):
            for j in range(network.layer(p.post).size):
                connections.append((p.name, "forward", i, p.pre, j, p.post))
                if p.symmetric:
                    connections.append((p.name, "backward", j, p.post, i, p.pre))
    return connections


def recount(network: Network, spikes: dict[str, np.ndarray], phase: str) -> Counter:
    """Count spikes, synaptic events and neuron updates of ``phase`` from its recorded spikes (ticks, n) by layer."""
    counts: Counter = Counter()
    for layer in network.layers:
        counts[phase, layer.name, "spikes"] += int(spikes[layer.name].sum())
        if layer.kind == "lif":
            counts[phase, layer.name, "neuron_updates"] += spikes[layer.name].size
    sent = {name: raster.sum(axis=0) for name, raster in spikes.items()}
    for projection, direction, source, layer, _, _ in adjacency(network):
        counts[phase, projection, f"synaptic_events_{direction}"] += int(sent[layer][source])
    counts[phase, "run", "ticks"] = len(next(iter(spikes.values())))
    counts[phase, "run", "presentations"] = 1
    return +counts

"""Recorded spikes sent once more through a network's synapses: what they cost, without any dynamics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.costing.workload import ProjectionInfo
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.memory import clock_bits
from eqspike.substrates.spiking.simulation_program import delay_ticks
from eqspike.substrates.spiking.wiring import Wiring, stored_synapses, wire
from eqspike.training.simulation_spec import SimulationSpec
from hw_models.mapping import NetworkGraph
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

PHASE = "inference"
Recorded = Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Replay:
    """Counted events of recorded spikes, and what a replay cannot know."""

    workload: Workload
    notes: tuple[str, ...]


def replay(spec: SimulationSpec, spikes: Recorded, duration_s: float) -> Replay:
    """Count what ``spikes`` cause in the network of ``spec``, its synapses drawn as a simulation would draw them.

    Synaptic events are sum over spikes of the synapses of their neuron, for spikes that arrive before the end; every
    neuron of a clocked layer is evaluated in every tick.

    Parameters
    ----------
    spikes : by layer, times (n,) in seconds and neurons (n,).
    duration_s : how long the recording lasted.

    Raises
    ------
    ConfigError
        If the network has no clock in ticks, or the duration is no time.
    DataError
        If a spike belongs to no neuron of the network, or comes after the end.
    """
    network, tick_s = spec.network(), _tick(spec)
    if not 0 < duration_s < float("inf"):
        raise ConfigError(f"{duration_s!r} s is no duration.", field="duration", remedy="Give seconds above 0.")
    ticks = max(1, round(duration_s / tick_s))
    fired = {name: _ticks_of(network, name, *found, tick_s, ticks) for name, found in spikes.items()}
    counts: dict[tuple[str, str], int] = {}
    infos = []
    for k, projection in enumerate(network.projections):
        wiring = wire(network, projection, k, spec.seed)
        reached = _events(network, projection, wiring, fired.get(projection.pre), tick_s, ticks)
        counts[projection.name, "synaptic_events_forward"] = reached
        synapses = stored_synapses(network, projection, wiring)
        infos.append(ProjectionInfo(projection.name, projection.pre, projection.post, synapses, clock_bits(spec.clock),
                                    False, projection.plastic))  # fmt: skip
    for layer in network.layers:
        counts[layer.name, "spikes"] = len(fired.get(layer.name, ((), ()))[0])
        counts[layer.name, "neuron_updates"] = layer.size * ticks if layer.kind == "lif" else 0
    phase = PhaseCounts(PHASE, 1, ticks, {key: count for key, count in counts.items() if count})
    layers = tuple(LayerShape(layer.name, layer.size, layer.kind == "lif") for layer in network.layers)
    shapes = tuple(ProjectionShape(**vars(info)) for info in infos)
    workload = Workload(spec.name, layers, shapes, (phase,), tick_s)
    return Replay(workload, tuple(_notes(spec, network, fired)))


def with_spikes(graph: NetworkGraph, spikes: Recorded, ticks: int) -> NetworkGraph:
    """Return ``graph`` with the spikes of every neuron in a recording of so many ticks: one presentation."""
    none = np.zeros(0, np.int64)
    layers = tuple(
        replace(layer, spikes=np.bincount(spikes.get(layer.name, (none, none))[1], minlength=layer.neurons) * 1.0)
        for layer in graph.layers
    )
    return replace(graph, layers=layers, ticks=ticks)


def _tick(spec: SimulationSpec) -> float:
    if not hasattr(spec.clock, "tick_s"):
        raise ConfigError(
            "events on the exact clock have no ticks to price.",
            field="clock.kind",
            remedy="Use clocked or fixed-point.",
        )
    return spec.clock.tick_s


def _ticks_of(
    network: Network, name: str, times: np.ndarray, neurons: np.ndarray, tick_s: float, ticks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tick at whose end each spike is, counted from 1, and the neurons."""
    sizes = {layer.name: layer.size for layer in network.layers}
    if name not in sizes:
        raise DataError(f"there is no layer {name!r}.", field="spikes", remedy=f"Layers: {', '.join(sizes)}.")
    if neurons.size and not (neurons.min() >= 0 and neurons.max() < sizes[name]):
        raise DataError(
            f"a neuron is not in 0 to {sizes[name] - 1}.", field=f"spikes: {name}", remedy="Count from 0 in each layer."
        )
    at = np.maximum(np.round(times / tick_s).astype(np.int64), 1)
    if at.max(initial=0) > ticks:
        raise DataError(
            f"a spike at {times.max():g} s comes after the end at {ticks * tick_s:g} s.",
            field=f"spikes: {name}",
            remedy="Give the duration of the recording.",
        )
    return at, neurons


def _events(
    network: Network,
    projection: Projection,
    wiring: Wiring,
    fired: tuple[np.ndarray, np.ndarray] | None,
    tick_s: float,
    ticks: int,
) -> int:
    """Return the synapses that spikes reach before the end."""
    if fired is None:
        return 0
    at, neurons = fired
    delays = delay_ticks(projection, wiring, tick_s)
    arrives = at + (delays[neurons] if delays.size > 1 else delays[0])
    return int(out_degrees(network, projection, wiring)[neurons[arrives <= ticks]].sum())


def out_degrees(network: Network, projection: Projection, wiring: Wiring) -> np.ndarray:
    """Return the synapses that a spike of each pre neuron reaches, (n_pre,) int64."""
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    if wiring.kind == "sparse":
        return np.diff(wiring.starts)
    if wiring.kind != "convolution":
        return np.full(pre.size, post.size if wiring.kind == "dense" else 1, np.int64)
    kernel, (height, width, depth) = projection.kernel, pre.shape
    rows, columns = (
        _uses(extent, out, kernel.size, kernel.padding)
        for extent, out in zip((height, width), post.shape[:2], strict=True)
    )
    return np.repeat(np.outer(rows, columns).reshape(-1) * kernel.channels, depth)


def _uses(extent: int, out: int, size: int, padding: int) -> np.ndarray:
    """Return how many places of a kernel, moved along one axis, hold each of ``extent`` positions."""
    place = np.arange(extent)[:, None] + padding - np.arange(size)
    return ((place >= 0) & (place < out)).sum(axis=1)


def _notes(spec: SimulationSpec, network: Network, fired: Mapping) -> Iterator[str]:
    silent = [layer.name for layer in network.layers if layer.name not in fired]
    driven = [one.name for one in spec.layers if one.neuron is not None and one.poisson is not None]
    if silent:
        yield f"no spikes were given of {', '.join(silent)}: taken as silent"
    if driven:
        yield f"background events of {', '.join(driven)} are no recorded spikes: not counted"
    if any(projection.plastic for projection in network.projections):
        yield "a replay does not learn: traces, updates and writes are not counted"
    yield "saturations are not counted: a replay has no potentials"

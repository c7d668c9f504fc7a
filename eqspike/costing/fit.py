"""Does a recipe, a run or a network fit a chip: its layers and synapses as a graph that can be placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import PHASES
from eqspike.costing.run import workload_of
from eqspike.network.description import RECEIVING, Kernel, Layer, Network, Projection
from eqspike.recipes import load_network, load_recipe, shipped_networks, shipped_recipes
from eqspike.substrates.spiking.clocks import Clock
from eqspike.substrates.spiking.memory import clock_bits
from eqspike.substrates.spiking.simulation import Simulation
from eqspike.substrates.spiking.wiring import wire
from eqspike.training.api import load_data, resolve
from eqspike.training.run import Run, open_run
from eqspike.training.simulation_spec import SimulationSpec, parse_simulation
from hw_models.mapping import Connection, GraphLayer, NetworkGraph
from hw_models.mapping.messages import messages
from hw_models.workload import PhaseCounts

_RUNS = (".h5", ".hdf5")


def graph_of(what: str) -> NetworkGraph:
    """Return the graph of a run file, of a recipe or a network that ships, or of either's TOML file.

    Raises
    ------
    ConfigError
        if there is nothing of that name.
    """
    if Path(what).suffix in _RUNS:
        return graph_of_run(open_run(what))
    if what in shipped_networks() or (what not in shipped_recipes() and _describes_network(what)):
        return graph_of_spec(parse_simulation(load_network(what), origin=what))
    spec = resolve(what)
    dataset = load_data(spec)
    network = spec.build_network(dataset.image_shape, dataset.n_classes)
    return graph_of_network(network, spec.precision, spec.name)


def _describes_network(what: str) -> bool:
    if Path(what).suffix == ".toml":
        return "layers" in load_recipe(what)
    known = [*shipped_recipes(), *shipped_networks()]
    raise ConfigError(
        f"there is no recipe and no network '{what}'.",
        field="fit",
        remedy=f"Give a run file, a .toml file, or one of {', '.join(known)}.",
    )


def graph_of_run(run: Run) -> NetworkGraph:
    """Return the graph of ``run`` with the spikes of a presentation: of its inference, else of its free phase.

    Layers of real-valued states send the states that their synapses used.
    """
    graph = graph_of_network(run.network, run.spec.precision, run.spec.name)
    workload = workload_of(run)
    counted = next(
        (p for name in ("inference", "free") for p in workload.phases if p.name == name and p.presentations), None
    )
    if counted is None:
        return graph
    sent = messages(workload, counted, {c.name: _fans(graph, c) for c in graph.connections})
    per_neuron = run.substrate.spikes_per_neuron()
    layers = [replace(layer, spikes=_spikes(layer, sent, per_neuron, counted)) for layer in graph.layers]
    return replace(graph, layers=tuple(layers), ticks=max(1, round(counted.ticks / counted.presentations)))


def _fans(graph: NetworkGraph, connection: Connection) -> tuple[float, float]:
    pre, post = graph.layer(connection.pre).neurons, graph.layer(connection.post).neurons
    if connection.kind == "sparse":
        return len(connection.targets) / pre, len(connection.targets) / post
    return float(post), float(pre)


def _spikes(
    layer: GraphLayer, sent: Mapping[str, float], per_neuron: Mapping[str, np.ndarray], counted: PhaseCounts
) -> float | np.ndarray:
    """Return the spikes of a presentation, one per neuron where the run counted them so."""
    total = sent[layer.name] / counted.presentations
    counts = per_neuron.get(layer.name)
    if counts is None or counts.ndim != 2 or counts.shape[1] != layer.neurons:
        return total
    each = counts[PHASES.index(counted.name)].astype(np.float64)
    return each * (total / each.sum()) if each.sum() else total


def graph_of_network(network: Network, bits: int, name: str) -> NetworkGraph:
    """Return the graph of a layered network of a recipe, whose weights have ``bits`` where they say nothing else."""
    layers = [
        GraphLayer(
            layer.name,
            layer.size,
            external=layer.kind not in RECEIVING,
            bias_bits=bits if layer.kind in RECEIVING and layer.biases else 0,
        )
        for layer in network.layers
    ]
    connections: list[Connection] = []
    for projection in network.projections:
        connections += _connections(network, projection, bits)
    return NetworkGraph(tuple(layers), tuple(connections), name=name)


def _connections(network: Network, projection: Projection, bits: int) -> list[Connection]:
    """Return a projection as connections: two where backward weights of their own are stored."""
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    forward = Connection(
        projection.pre,
        projection.post,
        weight_bits=projection.weight_bits or bits,
        plastic=projection.synapse is None or projection.synapse.plastic,
        accumulator_bits=projection.accumulator_bits if projection.accumulates else 0,
        bidirectional=projection.symmetric,
        label=projection.label,
    )
    if projection.kernel is not None:
        starts, targets = convolved(projection.kernel, pre, post)
        forward = replace(forward, kind="sparse", starts=starts, targets=targets)
    if not projection.separate:
        return [forward]
    back = replace(forward, pre=forward.post, post=forward.pre, label=f"{forward.name} backwards")
    if forward.kind == "sparse":
        back = replace(back, **dict(zip(("starts", "targets"), _turned(forward, pre.size, post.size), strict=True)))
    return [forward, back]


def _turned(connection: Connection, n_pre: int, n_post: int) -> tuple[np.ndarray, np.ndarray]:
    pre = np.repeat(np.arange(n_pre, dtype=np.int32), np.diff(connection.starts))
    order = np.argsort(connection.targets, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(connection.targets, minlength=n_post))])
    return starts.astype(np.int64), pre[order]


def convolved(kernel: Kernel, pre: Layer, post: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, targets) of a convolution: a pooled neuron hears every neuron below its square, once.

    Neurons of a map are numbered by row, then column, then channel.
    """
    rows, columns = (_below(kernel, above, below) for above, below in zip(post.shape[:2], pre.shape[:2], strict=True))
    c_in, c_out, width = pre.shape[2], post.shape[2], pre.shape[1]
    below = (rows[0][:, None] * width + columns[0][None]).reshape(-1)
    above = (rows[1][:, None] * post.shape[1] + columns[1][None]).reshape(-1)
    order = np.lexsort((above, below))
    number = np.bincount(below, minlength=pre.shape[0] * width)
    blocks = np.split(above[order], np.cumsum(number)[:-1])
    channels = np.arange(c_out)
    targets = [np.tile((block[:, None] * c_out + channels).reshape(-1), c_in) for block in blocks]
    starts = np.concatenate([[0], np.cumsum(np.repeat(number * c_out, c_in))]).astype(np.int64)
    return starts, np.concatenate(targets).astype(np.int32)


def _below(kernel: Kernel, above: int, below: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (place below, place above) of every pair that a convolution joins along one side of its maps."""
    top = np.repeat(np.arange(above), kernel.size + kernel.square - 1)
    bottom = top * kernel.square - kernel.padding + np.tile(np.arange(kernel.size + kernel.square - 1), above)
    inside = (bottom >= 0) & (bottom < below)
    return bottom[inside], top[inside]


def graph_of_spec(spec: SimulationSpec) -> NetworkGraph:
    """Return the graph of a network in continuous time with the synapses that its seed draws."""
    return _graph_in_time(spec.network(), spec.clock, spec.seed, spec.name)


def graph_of_simulation(simulation: Simulation, seed: int, name: str = "simulation") -> NetworkGraph:
    """Return the graph of a simulation of ``seed`` with the spikes that it fired: one presentation."""
    graph = _graph_in_time(simulation.network, simulation.clock, seed, name)
    layers = [
        replace(layer, spikes=np.bincount(simulation.spikes[layer.name].i, minlength=layer.neurons).astype(np.float64))
        for layer in graph.layers
    ]
    tick = getattr(simulation.clock, "tick_s", None)
    ticks = max(1, round(simulation.time_s / tick)) if tick else 1
    return replace(graph, layers=tuple(layers), ticks=ticks)


def _graph_in_time(network: Network, clock: Clock, seed: int, name: str) -> NetworkGraph:
    layers = tuple(GraphLayer(one.name, one.size, external=one.kind == "source") for one in network.layers)
    connections = [
        _realised(network, projection, index, clock, seed) for index, projection in enumerate(network.projections)
    ]
    return NetworkGraph(layers, tuple(connections), name=name)


def _realised(network: Network, projection: Projection, index: int, clock: Clock, seed: int) -> Connection:
    wiring = wire(network, projection, index, seed)
    tick = getattr(clock, "tick_s", None)
    made = Connection(
        projection.pre,
        projection.post,
        weight_bits=clock_bits(clock),
        plastic=projection.plastic,
        delay_ticks=ceil(wiring.delays_s.max() / tick - 1e-9) if tick else 0,
        label=projection.label,
    )
    if wiring.kind == "sparse":
        return replace(made, kind="sparse", starts=wiring.starts, targets=wiring.targets)
    if wiring.kind == "convolution":
        ends = network.layer(projection.pre), network.layer(projection.post)
        starts, targets = convolved(projection.kernel, *ends)
        return replace(made, kind="sparse", starts=starts, targets=targets)
    return replace(made, kind=wiring.kind)

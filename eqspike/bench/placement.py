"""Placing and pricing networks: a million neurons synapse by synapse, a thousand layers by their shapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import numpy as np

from eqspike.bench.result import Measurement
from hw_models import Chip, LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip, price
from hw_models.chips.limits import Limit, Limits
from hw_models.mapping import Connection, GraphLayer, NetworkGraph, Placement, place

NEURONS, FAN_OUT = 1_000_000, 100
_LAYERS, _REACH = 1000, 6.0  # layers of the shapes; standard deviation of a local synapse's length, in neurons
_SOURCE = "a chip of the benchmark"


def bench_chip() -> Chip:
    """Return a chip of 4,096 cores of 256 neurons on a mesh, priced as nothing in particular."""
    limits = Limits(
        cores=Limit(value=4096, kind="wall", source=_SOURCE),
        neurons_per_core=Limit(value=256, kind="wall", source=_SOURCE),
        mesh=(64, 64),
    )
    return load_chip("generic-45nm").model_copy(update={"name": "bench-4096", "limits": limits})


def local_network(neurons: int = NEURONS, fan_out: int = FAN_OUT, seed: int = 0) -> NetworkGraph:
    """Return neurons on a sheet joined to neighbours at normally distributed distances, numbered at random."""
    rng, side = np.random.default_rng(seed), int(neurons**0.5)
    neurons = side * side
    number = rng.permutation(neurons).astype(np.int32)
    x, y = np.arange(neurons, dtype=np.int32) % side, np.arange(neurons, dtype=np.int32) // side
    targets = np.empty((neurons, fan_out), np.int32)
    for synapse in range(fan_out):
        right, down = (np.rint(rng.normal(0, _REACH, neurons)).astype(np.int32) for _ in range(2))
        targets[number, synapse] = number[(y + down) % side * side + (x + right) % side]
    return _network(targets, "local")


def random_network(neurons: int = NEURONS, fan_out: int = FAN_OUT, seed: int = 0) -> NetworkGraph:
    """Return neurons joined to others uniformly at random."""
    return _network(np.random.default_rng(seed).integers(0, neurons, (neurons, fan_out), dtype=np.int32), "random")


def layers_by_shape(layers: int = _LAYERS, seed: int = 0) -> NetworkGraph:
    """Return a chain of dense layers of 50 to 1,900 neurons, without a single synapse written down."""
    sizes = np.random.default_rng(seed).integers(50, 1900, layers)
    built = tuple(GraphLayer(f"layer{k}", int(n), spikes=float(n)) for k, n in enumerate(sizes))
    joined = (Connection(pre.name, post.name) for pre, post in pairwise(built))
    return NetworkGraph(built, tuple(joined), name="layers")


def measure_placement(repeats: int = 3, neurons: int = NEURONS) -> Iterator[Measurement]:
    """Yield the seconds of placing each network; what it saves against cores filled contiguously stands in the note."""
    chip = bench_chip()
    place(local_network(400, 10), chip)  # compiles
    for build in (local_network, random_network):
        graph = build(neurons)
        found, seconds = _timed(graph, chip, 1)
        plain = place(graph, chip, "contiguous")
        note = f"{neurons:,} neurons of fan-out {FAN_OUT} on {found.cores:,} cores; {_saving(found, plain)}"
        yield Measurement(f"place-{graph.name}-{neurons}", seconds, "s", note=note)
    graph = layers_by_shape()
    found, seconds = _timed(graph, chip, repeats)
    note = f"{_LAYERS:,} layers, {graph.neurons:,} neurons on {found.cores:,} cores, shapes only"
    yield Measurement(f"place-{_LAYERS}-layers", seconds, "s", note=note)


def measure_pricing(repeats: int = 3) -> Iterator[Measurement]:
    """Yield the seconds of pricing a thousand layers that are placed on 4,096 cores."""
    chip, graph = bench_chip(), layers_by_shape()
    workload, placement = _workload(graph), place(graph, chip)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        report = price(workload, chip, placement=placement)
        seconds.append(time.perf_counter() - started)
    note = f"placed on 4,096 cores: {report.synaptic_events():.3g} synaptic events, {len(report.rows):,} rows"
    yield Measurement(f"price-{_LAYERS}-layers", median(seconds), "s", note=note)


def _workload(graph: NetworkGraph) -> Workload:
    """Return one inference of ``graph`` in which every neuron fires once in a hundred ticks."""
    sizes = {layer.name: layer.neurons for layer in graph.layers}
    layers = tuple(LayerShape(name, neurons) for name, neurons in sizes.items())
    projections, counts = [], {}
    for name, neurons in sizes.items():
        counts |= {(name, "spikes"): neurons, (name, "neuron_updates"): 100 * neurons}
    for joined in graph.connections:
        name, synapses = f"{joined.pre}->{joined.post}", sizes[joined.pre] * sizes[joined.post]
        projections.append(ProjectionShape(name, joined.pre, joined.post, synapses, 8, False, False))
        counts[name, "synaptic_events_forward"] = synapses
    phase = PhaseCounts("inference", 1, 100, counts)
    return Workload(graph.name, layers, tuple(projections), (phase,), 1e-3)


def _network(targets: np.ndarray, name: str) -> NetworkGraph:
    neurons, fan_out = targets.shape
    starts = np.arange(0, neurons * fan_out + 1, fan_out)
    joined = Connection("neurons", "neurons", "sparse", starts, targets.reshape(-1), weight_bits=8)
    return NetworkGraph((GraphLayer("neurons", neurons),), (joined,), name=name)


def _timed(graph: NetworkGraph, chip: Chip, repeats: int) -> tuple[Placement, float]:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = place(graph, chip)
        seconds.append(time.perf_counter() - started)
    return found, median(seconds)


def _saving(found: Placement, plain: Placement) -> str:
    saved = 1 - found.intercore_spikes / plain.intercore_spikes
    return f"{saved:.1%} fewer spikes between cores than contiguous, {1 - found.hops / plain.hops:.1%} fewer hops"

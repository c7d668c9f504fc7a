"""Suite ``hardware``: what the cost model says and how fast, beside SANA-FE on the same spikes at the same prices."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from statistics import median

import numpy as np

from eqspike.bench import sanafe_peers
from eqspike.bench.placement import measure_placement, measure_pricing
from eqspike.bench.result import Measurement
from eqspike.core.errors import ConfigError
from eqspike.core.rng import Purpose, stream
from eqspike.costing.placed import placed_graph
from eqspike.costing.run import workload_of_simulation
from eqspike.network.connectivity import AllToAll, Uniform
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation, simulate
from hw_models import Chip, price
from hw_models.chips import parse_chip
from hw_models.exchange import sanafe
from hw_models.exchange.graph import GraphPlacement, PlacedGraph
from hw_models.workload import PhaseCounts, Workload

PEER_VARIABLE = "EQSPIKE_SANAFE_PYTHON"  # a Python that has sanafe, where this one has not
MESH, CORES_PER_TILE = (8, 4), 4  # of the Loihi that SANA-FE ships
TICKS, SILENT, _TICK_S = 100, 5, 1e-3  # the input is silent in the last ticks
EARLIER = {"input": 0, "hidden": 1, "output": 2}  # ticks by which a layer fires earlier in SANA-FE
AGREEMENT = 1e-6  # largest relative difference of two energies that are the same


def peer_chip() -> Chip:
    """Return Loihi at the prices that SANA-FE ships."""
    path = files("eqspike.bench") / "loihi_sanafe.toml"
    return parse_chip(path.read_text("utf-8"), path.name)


def compared(inputs: int = 784, hidden: int = 300, outputs: int = 10, seed: int = 1) -> Simulation:
    """Return a run of input -> hidden -> output: the input fires at random and ends before the layers above fall still.

    Nothing feeds back and nothing fires by itself, so that layers may differ by a tick and still fire the same spikes.
    """
    neuron = LIF(tau_membrane_s=20e-3)
    fires = stream(seed, Purpose.SOURCES, 0).random((TICKS - SILENT, inputs)) < 0.05
    ticks, neurons = np.nonzero(fires)
    layers = (
        Layer("input", inputs, "source"),
        Layer("hidden", hidden, "lif", neuron),
        Layer("output", outputs, "lif", neuron),
    )
    projections = (
        Projection("input", "hidden", connectivity=AllToAll(), weight=Uniform(low=-0.1, high=0.105)),
        Projection("hidden", "output", connectivity=AllToAll(), weight=Uniform(low=-0.1, high=0.12)),
    )
    return simulate(
        Network(layers, projections),
        TICKS * _TICK_S,
        clock=Clocked(tick_s=_TICK_S, precision=64),
        inputs={"input": SpikeList((ticks + 1) * _TICK_S, neurons)},
        seed=seed,
    )


def placed(simulation: Simulation) -> PlacedGraph:
    """Return ``simulation`` on tiles of one row, where every hop goes east or west at one price."""
    sizes = {layer.name: layer.size for layer in simulation.network.layers}
    row = np.arange(MESH[0]) * MESH[1] * CORES_PER_TILE  # the first core of each tile of the row
    half = np.arange(sizes["hidden"]) >= sizes["hidden"] // 2
    cores = {
        "input": np.full(sizes["input"], row[0]),
        "hidden": np.where(half, row[3], row[1]),
        "output": np.full(sizes["output"], row[7] + 2),
    }
    return placed_graph(simulation, "compared", cores=cores, mesh=MESH, cores_per_tile=CORES_PER_TILE)


def as_the_peer_counts(simulation: Simulation) -> Workload:
    """Return the counted events without the spikes of input layers, which SANA-FE gives away."""
    workload = workload_of_simulation(simulation, "compared")
    inputs = {layer.name for layer in simulation.network.layers if layer.kind == "source"}
    phases = tuple(
        PhaseCounts(
            phase.name, phase.presentations, phase.ticks,
            {key: n for key, n in phase.counts.items() if key[0] not in inputs}, phase.learning,
        )
        for phase in workload.phases
    )  # fmt: skip
    return Workload(workload.name, workload.layers, workload.projections, phases, workload.tick_s)


def against_sanafe(repeats: int) -> Iterator[Measurement]:
    """Yield the energy of the same spikes at the same prices, and the time that both take to run and price them."""
    simulation = compared()
    graph, chip = placed(simulation), peer_chip()
    workload, placement = as_the_peer_counts(simulation), GraphPlacement(graph)
    ours = price(workload, chip, placement=placement).energy().value
    name, events = "784-300-10 on SANA-FE's Loihi", workload.total("inference", "synaptic_events")
    text = sanafe.network(graph, TICKS, neuron_unit="loihi_lif", input_unit="loihi_inputs")
    peer = sanafe_peers.measure(text, TICKS, python=os.environ.get(PEER_VARIABLE, sys.executable))
    seconds = _median(lambda: price(as_the_peer_counts(compared()), chip, placement=placement), repeats)
    pricing = _median(lambda: price(workload, chip, placement=placement), repeats)
    yield Measurement(f"{name}: pricing alone", pricing * 1e3, "ms", note="counts that are there already")
    if peer is None:
        skipped = f"not compared: no Python with sanafe; install it apart and name that Python in {PEER_VARIABLE}"
        yield Measurement(f"{name}: energy", ours, "J", note=skipped)
        yield Measurement(f"{name}: run and price", seconds, "s", note=skipped)
        return
    _require_same_spikes(graph, peer["spike_trace"])
    theirs = peer["energy"]["total"]
    apart = abs(ours / theirs - 1)
    if apart > AGREEMENT:
        raise ConfigError(
            f"ours is {ours!r} J, SANA-FE's {theirs!r} J: {apart:.2g} apart, more than {AGREEMENT:g}.",
            field="hardware",
            remedy="Compare the prices of its architecture loihi with eqspike/bench/loihi_sanafe.toml.",
        )
    said = f"SANA-FE {peer['version']}"
    yield Measurement(
        f"{name}: energy", ours, "J", said, theirs,
        note=f"the same {len(peer['spike_trace']):,} spikes and {events:,} synaptic events; {apart:.1g} apart",
    )  # fmt: skip
    yield Measurement(
        f"{name}: run and price", seconds, "s", said, peer["seconds"], peer["seconds"] / seconds,
        note=f"{TICKS} ticks; ours builds the network too, the peer's time is that of its run alone",
    )  # fmt: skip


def _require_same_spikes(graph: PlacedGraph, trace: list[list[str]]) -> None:
    """Refuse to compare energies of different spikes; SANA-FE counts timesteps from 1."""
    ours = {
        (f"{group.name}.{neuron}", tick + 1 - EARLIER[group.name])
        for group in graph.groups
        for tick, neuron in zip(*(values.tolist() for values in group.spikes), strict=True)
    }
    if different := ours ^ {(neuron, int(step)) for neuron, step in trace}:
        raise ConfigError(
            f"{len(different)} spikes are not the same, such as {min(different)}.",
            field="hardware",
            remedy="Report this with the version of sanafe.",
        )


def _median(work, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def measure(repeats: int) -> Iterator[Measurement]:
    """Yield the measurements of the suite."""
    yield from against_sanafe(repeats)
    yield from measure_pricing(repeats)
    yield from measure_placement(repeats)

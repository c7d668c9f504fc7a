"""What a simulation or a run becomes in other tools' files."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from math import ceil, isqrt, prod
from typing import Any, Protocol

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.costing.placed import contiguous_cores, placed_graph
from eqspike.costing.run import workload_of_simulation
from eqspike.network.description import Network
from eqspike.substrates.spiking.simulation import Simulation
from hw_models import Chip, price
from hw_models.errors import UnpricedError
from hw_models.exchange import sanafe
from hw_models.exchange.graph import GraphPlacement
from hw_models.exchange.neurobench import NOTES, neurobench_metrics
from hw_models.exchange.performance import EventPrices, performance, write_performance
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

DEFAULT_CORE = 256  # neurons of a core where the chip states no limit


class Placed(Protocol):
    """A placement: ``core`` (n,) by layer, -1 outside the chip; ``mesh`` with ``x``, ``y`` (cores,) and its extents."""

    core: Mapping[str, np.ndarray]
    mesh: Any
    serves: Mapping[str, str]


def sana_fe_files(simulation: Simulation, name: str, chip: Chip, placement: Placed | None = None) -> dict[str, str]:
    """Return the texts of ``architecture.yaml``, ``network.yaml`` and ``perf.csv`` of a simulation placed on ``chip``.

    Without a ``placement`` layers fill cores in their order. Prices are the nominal ones of one event, dynamic and
    periphery parts; static power has no place in the format.

    Raises
    ------
    ConfigError
        if the network does not fit, or has what the format has not.
    hw_models.errors.HardwareError
        if the chip's energies are not published.
    """
    workload = workload_of_simulation(simulation, name)
    prices = event_prices(chip, max((p.weight_bits for p in workload.projections), default=1))
    if placement is None:
        shape = _shape(chip, simulation.network)
        n_cores = prod(shape.mesh) * shape.cores_per_tile
        cores = contiguous_cores(simulation.network, shape.neurons_per_core, n_cores)
    else:
        shape, cores = _placed(chip, simulation.network, placement)
    graph = placed_graph(simulation, name, cores=cores, mesh=shape.mesh, cores_per_tile=shape.cores_per_tile)
    phase = "inference" if simulation.ledger().phases["inference"].presentations else "free"
    tick_s = price(workload, chip, placement=GraphPlacement(graph, phase)).tick_s
    rows = StringIO()
    write_performance(performance(graph, simulation.ticks, tick_s, prices), rows)
    return {
        "architecture.yaml": sanafe.architecture(shape, prices),
        "network.yaml": sanafe.network(graph, simulation.ticks),
        "perf.csv": rows.getvalue(),
    }


def event_prices(chip: Chip, weight_bits: int) -> EventPrices:
    """Return what one event of each kind costs on ``chip``; what it does not price apart is 0.

    Raises
    ------
    hw_models.errors.UnpricedError
        if its energies are not published, or are powers alone.
    """
    if not chip.actions and not chip.unpriced:
        raise UnpricedError(
            "the chip has a power, and no energy of an event.", field=chip.name, remedy="Choose another chip."
        )
    found = {}
    for counter, entity in (
        ("synaptic_events_forward", "a->b"),
        ("neuron_updates", "b"),
        ("spikes", "b"),
        ("packets", "b"),
        ("hops", "b"),
    ):
        known = {counter, counter.removesuffix("_forward")} & set(chip.actions)
        found[counter] = _one_event(chip, entity, counter, weight_bits) if known or chip.unpriced else 0.0
    return EventPrices(*found.values())


def _one_event(chip: Chip, entity: str, counter: str, weight_bits: int) -> float:
    routed = counter in ("packets", "hops")
    phase = PhaseCounts("inference", 1, 0, {} if routed else {(entity, counter): 1})
    layers = (LayerShape("a", 1), LayerShape("b", 1))
    projections = (ProjectionShape("a->b", "a", "b", 1, weight_bits, False, False),)
    workload = Workload("one event", layers, projections, (phase,), 1.0)
    report = price(workload, chip, placement=_One({(entity, counter): 1} if routed else {}))
    return sum(row.energy_j for row in report.rows if row.action == counter)


class _One:
    """A placement that counts what it is told to."""

    def __init__(self, counts: dict[tuple[str, str], int]) -> None:
        self._counts = counts

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], int]:
        return self._counts

    def summary(self) -> dict[str, int]:
        return {}


def _shape(chip: Chip, network: Network) -> sanafe.ArchitectureShape:
    """Return cores and mesh of ``chip``; a square that is large enough where it states none."""
    neurons = chip.limits.value("neurons_per_core") or DEFAULT_CORE
    needed = sum(ceil(layer.size / neurons) for layer in network.layers)
    cores, mesh = chip.limits.value("cores") or needed, chip.limits.mesh
    if mesh is None:
        side = isqrt(cores - 1) + 1
        mesh, cores = (side, ceil(cores / side)), side * ceil(cores / side)
    return sanafe.ArchitectureShape(chip.name, mesh, max(1, cores // prod(mesh)), neurons, neurons)


def _placed(chip: Chip, network: Network, placement: Placed) -> tuple[sanafe.ArchitectureShape, dict[str, np.ndarray]]:
    """Return a placement in SANA-FE's numbers: tile x height + y, cores within it in their order.

    Inputs from outside stand on cores of their own at the first tile: the packets that they send enter there.
    """
    if placement.serves:
        raise ConfigError(
            "relay neurons have no spikes in the simulation.",
            field=next(iter(placement.serves)),
            remedy="Choose a chip whose fan-in suffices.",
        )
    mesh = placement.mesh
    width, height = max(mesh.width, int(mesh.x.max()) + 1), max(mesh.height, int(mesh.y.max()) + 1)
    tile = mesh.x * height + mesh.y
    order = np.argsort(tile, kind="stable")
    within = np.zeros(len(tile), np.int64)
    within[order] = np.arange(len(tile)) - np.searchsorted(tile[order], tile[order])
    outside = [layer for layer in network.layers if np.any(placement.core[layer.name] < 0)]
    depth = int(within.max()) + 1
    each = depth + len(outside)
    cores = {}
    for layer in network.layers:
        place = np.asarray(placement.core[layer.name])
        cores[layer.name] = tile[place] * each + within[place]
        if layer in outside:
            cores[layer.name] = np.where(place < 0, depth + outside.index(layer), cores[layer.name])
    held = np.bincount(np.concatenate([np.asarray(values) for values in cores.values()])).max()
    return sanafe.ArchitectureShape(chip.name, (width, height), each, int(held), int(held)), cores


def neurobench_document(
    workload: Workload, weights: Mapping[str, np.ndarray], joined: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return NeuroBench's metrics of every presented phase, with what is said of them.

    Parameters
    ----------
    weights : stored weights by projection, in any shape, for the connection sparsity.
    joined : pairs of neurons that a projection could join, where it stores fewer weights than that.

    Raises
    ------
    ConfigError
        if nothing was presented.
    """
    phases = [phase.name for phase in workload.phases if phase.presentations]
    if not phases:
        raise ConfigError("nothing has been counted yet.", field=workload.name, remedy="Run or train it first.")
    connections = {}
    for name, values in weights.items():
        could = max((joined or {}).get(name, 0), values.size)
        connections[name] = could - int(np.count_nonzero(values)), could
    return {
        "workload": workload.name,
        "phases": {phase: neurobench_metrics(workload, phase, connections=connections) for phase in phases},
        "notes": list(NOTES),
    }

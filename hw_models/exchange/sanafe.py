"""Architectures and networks as SANA-FE reads them: YAML, written in its JSON subset, one entry a line.

References
----------
Boyle et al., IEEE Trans. CAD, 2025, doi:10.1109/TCAD.2025.3537971.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_models.errors import ChipError, WorkloadError
from hw_models.exchange.graph import Edges, Group, PlacedGraph
from hw_models.exchange.performance import EventPrices

INPUT_UNIT, NEURON_UNIT = "input", "neuron"
MOST_ENTRIES = 5_000_000  # synapses, and ticks of inputs, that are written one by one
_DIRECTIONS = ("north", "east", "south", "west")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")


@dataclass(frozen=True)
class ArchitectureShape:
    """Tiles of a mesh and what a core holds; ``inputs_per_core`` neurons that fire by list fit on one."""

    name: str
    mesh: tuple[int, int]
    cores_per_tile: int
    neurons_per_core: int
    inputs_per_core: int

    def __post_init__(self) -> None:
        for key, number in (
            ("mesh", min(self.mesh)),
            ("cores_per_tile", self.cores_per_tile),
            ("neurons_per_core", self.neurons_per_core),
            ("inputs_per_core", self.inputs_per_core),
        ):
            if number < 1:
                raise ChipError(f"{number} is none.", field=f"{self.name}: {key}", remedy="Give at least 1.")


def architecture(shape: ArchitectureShape, prices: EventPrices, latency_s: float = 0.0) -> str:
    """Return the architecture file: tile -> core -> axon_in, synapse, dendrite, soma, axon_out.

    A synaptic event is priced at the synapse, a neuron update and a spike at the soma, a packet at axon_out, a hop at
    the tile in every direction. Inputs that fire by list are free, as in the architectures that SANA-FE ships.

    Parameters
    ----------
    latency_s : seconds of one synaptic event, 0 where the chip states none.
    """
    width, height = shape.mesh
    hops = {f"{what}_{way}_hop": cost for way in _DIRECTIONS for what, cost in (("energy", prices.hop), ("latency", 0))}
    core = {
        "name": f"core[0..{shape.cores_per_tile - 1}]",
        "attributes": {
            "buffer_position": "soma",
            "buffer_inside_unit": False,
            "max_neurons_supported": shape.neurons_per_core + shape.inputs_per_core,
        },
        "axon_in": [_unit("axon_in", energy_message_in=0.0, latency_message_in=0.0)],
        "synapse": [
            _unit(
                "synapse",
                model="current_based",
                energy_process_spike=prices.synaptic_event,
                latency_process_spike=latency_s,
            )
        ],
        "dendrite": [_unit("dendrite", model="accumulator", energy_update=0.0, latency_update=0.0)],
        "soma": [
            _soma(NEURON_UNIT, "leaky_integrate_fire", prices.neuron_update, prices.spike),
            _soma(f"{INPUT_UNIT}[0..{shape.inputs_per_core - 1}]", "input", 0.0, 0.0),
        ],
        "axon_out": [_unit("axon_out", energy_message_out=prices.packet, latency_message_out=0.0)],
    }
    tile = {"name": f"tile[0..{width * height - 1}]", "attributes": hops, "core": [core]}
    attributes = {"topology": "mesh", "width": width, "height": height, "link_buffer_size": 16}
    document = {"architecture": {"name": _named(shape.name), "attributes": attributes, "tile": [tile]}}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def network(graph: PlacedGraph, ticks: int, *, neuron_unit: str = NEURON_UNIT, input_unit: str = INPUT_UNIT) -> str:
    """Return the network file: groups with their models, edges with their weights, and the core of every neuron.

    Parameters
    ----------
    ticks : length of the lists of input spikes.
    neuron_unit, input_unit : soma units of the architecture that run neurons, and inputs one by one.

    Raises
    ------
    WorkloadError
        If a name is not one that the format allows, or the text would be too long for anything to read.
    """
    entries = sum(len(edge.sources) for edge in graph.edges)
    entries += sum(group.neurons * ticks for group in graph.groups if group.is_input)
    if entries > MOST_ENTRIES:
        raise WorkloadError(
            f"{entries:,} synapses and input ticks would be written, at most {MOST_ENTRIES:,} are.",
            field=graph.name,
            remedy="Export a smaller network, or a shorter run.",
        )
    groups = ",\n".join(json.dumps(_group(group, ticks), allow_nan=False) for group in graph.groups)
    edges = ",\n".join(line for edge in graph.edges for line in _edges(edge, graph))
    mappings = ",\n".join(_mappings(graph, neuron_unit, input_unit))
    return (
        f'{{"network": {{"name": {json.dumps(_named(graph.name))},\n"groups": [\n{groups}],\n'
        f'"edges": [\n{edges}]}},\n"mappings": [\n{mappings}]}}\n'
    )


def _unit(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "attributes": attributes}


def _soma(name: str, model: str, update: float, spike: float) -> dict[str, Any]:
    energies = {"energy_access_neuron": 0.0, "energy_update_neuron": update, "energy_spike_out": spike}
    latencies = dict.fromkeys((key.replace("energy", "latency") for key in energies), 0.0)
    return _unit(name, model=model, **energies, **latencies)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise WorkloadError(
            f"{name!r} cannot be a name in SANA-FE's files.",
            field="name",
            remedy="Use letters, digits, - and _, a letter first.",
        )
    return name


def _group(group: Group, ticks: int) -> dict[str, Any]:
    _named(group.name)
    if not group.is_input:
        everyone = f"0..{group.neurons - 1}" if group.neurons > 1 else "0"
        settings = [{key: value} for key, value in group.model.items()] + [{"force_update": True}]
        return {"name": group.name, "attributes": [{"log_spikes": True}, *settings], "neurons": [{everyone: []}]}
    fires = np.zeros((group.neurons, ticks), np.int64)
    fires[group.spikes[1], group.spikes[0]] = 1
    neurons = [{str(number): [{"spikes": row}]} for number, row in enumerate(fires.tolist())]
    return {"name": group.name, "attributes": [{"log_spikes": True}], "neurons": neurons}


def _edges(edge: Edges, graph: PlacedGraph) -> Iterator[str]:
    """Yield one line of all weights where every pair is joined once, in order; else one line a synapse."""
    sizes = {group.name: group.neurons for group in graph.groups}
    n_pre, n_post = sizes[edge.pre], sizes[edge.post]
    weights = np.asarray(edge.weights, np.float64)
    if len(weights) == n_pre * n_post and np.array_equal(
        np.asarray(edge.sources, np.int64) * n_post + edge.targets, np.arange(n_pre * n_post)
    ):
        ends = json.dumps(f"{edge.pre} -> {edge.post}")
        yield f'{{{ends}: [{{"type": "dense"}}, {{"weight": {json.dumps(weights.tolist())}}}]}}'
        return
    for source, target, weight in zip(edge.sources.tolist(), edge.targets.tolist(), weights.tolist(), strict=True):
        yield f'{{"{edge.pre}.{source} -> {edge.post}.{target}": [{{"weight": {weight!r}}}]}}'


def _mappings(graph: PlacedGraph, neuron_unit: str, input_unit: str) -> Iterator[str]:
    """Yield stretches of neurons on one core; inputs one by one, each on a soma unit of its own."""
    taken = np.zeros(graph.n_cores, np.int64)
    for group in graph.groups:
        cores = np.asarray(graph.cores[group.name], np.int64)
        ends = np.append(np.flatnonzero(np.diff(cores)) + 1, len(cores))
        if group.is_input:
            ends = np.arange(1, len(cores) + 1)
        for first, end in zip(np.append(0, ends[:-1]), ends, strict=True):
            core, unit = int(cores[first]), neuron_unit
            if group.is_input:
                unit = f"{input_unit}[{taken[core]}]"
                taken[core] += 1
            who = f"{group.name}.{first}" if end == first + 1 else f"{group.name}.{first}..{end - 1}"
            tile, within = divmod(core, graph.cores_per_tile)
            yield json.dumps({who: [{"core": f"{tile}.{within}"}, {"soma": unit}]})

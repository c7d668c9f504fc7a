r"""Networks to and from NIR, the Neuromorphic Intermediate Representation.

A NIR neuron obeys tau dv/dt = (v_leak - v) + R I (LIF), dv/dt = R I (IF), or LIF with tau_syn dI/dt = -I + w_in S
(CubaLIF); it fires where v reaches v_threshold and starts again at v_reset. A spike is an impulse of area ``spike_s``,
one value held for one step of the tool that wrote the graph: v jumps by R w spike_s / tau, by R w spike_s (IF), or I by
w_in w spike_s / tau_syn. Constants (biases, held inputs) are currents. LI and CubaLI run as neurons that never fire.
Potentials start at v_leak, at v_reset where that lies above the threshold; those of IF at 0.

What NIR has no word for stands in metadata: ``eqspike_reset`` (soft), ``eqspike_refractory_s``, ``eqspike_drive`` (the
part of v_leak that is no rest), ``eqspike_tau_adaptation_s`` and ``eqspike_adaptation_step`` at neurons,
``eqspike_plastic`` at weights, ``dt`` at the graph.

References
----------
Pedersen et al., Nat. Commun. 15:8122, 2024, doi:10.1038/s41467-024-52259-9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from os import PathLike
from typing import Any

import numpy as np

from eqspike.bridges.nir_export import DEFAULT_STEP_S, to_nir, write_nir
from eqspike.bridges.nir_file import read_nir
from eqspike.bridges.nir_neurons import Neurons, lif_of, neurons_of
from eqspike.bridges.nir_paths import NEURONS, Path, kind, node_shape, paths_to_neurons, refuse
from eqspike.core.errors import ConfigError
from eqspike.network.connectivity import AllToAll, OneToOne, Pairs
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Input, SpikeList
from eqspike.substrates.spiking.clocks import Clocked, Spikes
from eqspike.substrates.spiking.simulation import Simulation, simulate

__all__ = ["NirModel", "from_nir", "to_nir", "write_nir"]


@dataclass(frozen=True, eq=False)
class Held:
    """Synapses from an Input that is held: multiplied once a presentation, then a constant current.

    ``stored`` weights, of which each input value meets ``fan_out`` (n,).
    """

    source: str
    target: str
    stored: int
    values: np.ndarray
    fan_out: np.ndarray

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a presentation: the weights that values other than 0 meet."""
        return int(self.fan_out[self.values != 0].sum())


@dataclass(frozen=True, eq=False)
class NirModel:
    """A NIR graph as a network that :func:`eqspike.simulate` runs.

    Parameters
    ----------
    tick_s, spike_s : step of the clock, and area of a spike, in seconds.
    sources : Input nodes that spikes are given for.
    members : (layer, neuron numbers within the node) by neuron node; a node of different neurons becomes some layers.
    constant : source layers that fire in every tick: they carry currents that differ from neuron to neuron.
    stored : weights that the graph holds, by projection; a convolution shares its kernel.
    held : synapses of inputs that are held, which are no projections of the network.
    metadata : that of the graph.
    """

    network: Network
    tick_s: float
    spike_s: float
    sources: tuple[str, ...]
    members: Mapping[str, list[tuple[str, np.ndarray]]]
    constant: tuple[str, ...]
    stored: Mapping[str, int]
    held: tuple[Held, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self, duration_s: float, given: Mapping[str, Input]) -> dict[str, Input]:
        """Return the spikes ``given`` for the sources, and those of the layers that fire in every tick."""
        silent = SpikeList(np.zeros(0), np.zeros(0, np.int64))
        ticks = (1 + np.arange(round(duration_s / self.tick_s))) * self.tick_s
        always = SpikeList(ticks, np.zeros(len(ticks), np.int64))
        idle = {layer.name: silent for layer in self.network.layers if layer.kind == "source"}
        return idle | {name: always for name in self.constant} | dict(given)

    def simulate(self, duration_s: float, given: Mapping[str, Input] | None = None, **options: Any) -> Simulation:
        """Run for ``duration_s`` with the spikes ``given`` by source; ``options`` are those of ``simulate``."""
        options = {"clock": Clocked(tick_s=self.tick_s), "inputs": self.inputs(duration_s, given or {})} | options
        return simulate(self.network, duration_s, **options)

    def spikes(self, simulation: Simulation, node: str) -> Spikes:
        """Return the spikes of a node's neurons in order of time."""
        found = [(simulation.spikes[layer], who) for layer, who in self.members[node]]
        t = np.concatenate([spikes.t for spikes, _ in found])
        i = np.concatenate([who[spikes.i] for spikes, who in found])
        order = np.lexsort((i, t))
        return Spikes(t[order], i[order])

    def potentials(self, simulation: Simulation, node: str) -> np.ndarray:
        """Return the potentials of a node's neurons now."""
        whole = np.zeros(sum(len(who) for _, who in self.members[node]))
        now = simulation.potentials()
        for layer, who in self.members[node]:
            whole[who] = now[layer]
        return whole


def from_nir(
    model: str | PathLike | Any,
    *,
    tick_s: float | None = None,
    spike_s: float | None = None,
    held: Mapping[str, np.ndarray] | None = None,
) -> NirModel:
    """Return the network of a NIR file or graph.

    Parameters
    ----------
    model : path of a file, or an ``nir.NIRGraph``.
    tick_s : step that the network is made for; by default the graph's ``dt``, else 0.1 ms.
    spike_s : area of a spike; by default the graph's ``dt``, else 0.1 ms.
    held : constant values (n,) by Input node, for inputs that are not spikes.

    Raises
    ------
    ModelError
        if the file is not safe to read, or the graph has what cannot run.
    """
    graph = model if hasattr(model, "nodes") and hasattr(model, "edges") else read_nir(model)
    step = _step(graph)
    return _Build(graph, tick_s or step, spike_s or step, dict(held or {})).model()


def _step(graph: Any) -> float:
    try:
        step = float((getattr(graph, "metadata", None) or {}).get("dt", DEFAULT_STEP_S))
    except (TypeError, ValueError):
        step = -1.0
    if not 0 < step < np.inf:
        refuse("metadata.dt", "the step of the graph is no time", "Give seconds above 0.")
    return step


class _Build:
    """A graph while it becomes a network."""

    def __init__(self, graph: Any, tick_s: float, spike_s: float, held: dict[str, np.ndarray]) -> None:
        self.graph, self.tick_s, self.spike_s, self.held = graph, tick_s, spike_s, held
        self.paths = paths_to_neurons(graph)
        nodes = {name: node for name, node in graph.nodes.items() if kind(node) in NEURONS}
        if not nodes:
            refuse("nodes", "nothing in the graph fires", f"Use {', '.join(NEURONS)}.")
        self.neurons = {name: neurons_of(name, node) for name, node in nodes.items()}
        self.inputs = {name: node_shape(name, n) for name, n in graph.nodes.items() if kind(n) == "Input"}
        for name in self.held:
            self._check_held(name)
        self.projections: list[Projection] = []
        self.constant: list[str] = []
        self.stored: dict[str, int] = {}

    def _check_held(self, name: str) -> None:
        if name not in self.inputs:
            raise ConfigError(
                f"there is no Input '{name}'.", field="held", remedy=f"Inputs: {', '.join(self.inputs) or 'none'}."
            )
        values = np.asarray(self.held[name], np.float64).reshape(-1)
        if values.size != prod(self.inputs[name]) or not np.isfinite(values).all():
            raise ConfigError(
                f"{values.size} values, or one that is not finite, for {prod(self.inputs[name])} inputs.",
                field=f"held.{name}",
                remedy="Give one finite value an input.",
            )
        self.held[name] = values

    def model(self) -> NirModel:
        layers = [Layer(name, prod(shape), "source") for name, shape in self.inputs.items() if name not in self.held]
        sources = tuple(layer.name for layer in layers)
        for name, neurons in self.neurons.items():
            layers += self._layers(neurons, self._currents(neurons, self.paths[name]))
        for name, neurons in self.neurons.items():
            for path in self.paths[name]:
                if path.source not in self.held:
                    self._join(path.scaled(neurons.jump(self.spike_s)), neurons)
        if not self.projections:  # a simulation has synapses, though nothing need go through them
            layers.append(Layer("idle", 1, "source"))
            none = np.zeros(0, np.int64)
            self.projections.append(Projection("idle", layers[-2].name, connectivity=Pairs(none, none), weight=0.0))
        layers += [Layer(name, 1, "source") for name in self.constant]
        members = {
            name: [(neurons.layer(k), who) for k, who in enumerate(neurons.groups)]
            for name, neurons in self.neurons.items()
        }
        return NirModel(
            Network(tuple(layers), tuple(self.projections)), self.tick_s, self.spike_s, sources, members,
            tuple(self.constant), self.stored, tuple(self._held()), dict(getattr(self.graph, "metadata", None) or {}),
        )  # fmt: skip

    def _held(self) -> Iterator[Held]:
        for name, paths in self.paths.items():
            for path in paths:
                if path.source in self.held:
                    yield Held(path.source, name, path.stored, self.held[path.source], path.fan_out())

    def _currents(self, neurons: Neurons, paths: list[Path]) -> np.ndarray:
        """Return the constant current into every neuron: biases, and inputs that are held."""
        total = np.zeros(neurons.r.size)
        for path in paths:
            total += path.bias
            if path.source in self.held:
                total += path.apply(self.held[path.source])
        return total

    def _layers(self, neurons: Neurons, currents: np.ndarray) -> Iterator[Layer]:
        """Yield the layers of a node; a current that is the same for all is their drive, else it comes by events."""
        for k, who in enumerate(neurons.groups):
            drive, name = neurons.r[who] * currents[who], neurons.layer(k)
            events = np.any(currents[who] != 0) and (neurons.tau_syn is not None or np.ptp(drive) > 0)
            if events:
                weights = (neurons.steady(self.tick_s) * currents)[who]
                tau = 0.0 if neurons.tau_syn is None else float(neurons.tau_syn[who[0]])
                self.constant.append(f"constant->{name}")
                self.projections.append(
                    Projection(
                        self.constant[-1], name, connectivity=AllToAll(), weight=weights[None, :], tau_synapse_s=tau
                    )
                )
                self.stored[self.projections[-1].name] = 0  # biases are counted with the weights that they come with
            yield Layer(name, len(who), "lif", lif_of(neurons, int(who[0]), 0.0 if events else float(drive[0])))

    def _join(self, path: Path, neurons: Neurons) -> None:
        """Add the projections of a path, one for each layer at either end."""
        sender = self.neurons.get(path.source)
        froms = [(path.source, np.arange(prod(self.inputs[path.source])))] if sender is None else [
            (sender.layer(k), who) for k, who in enumerate(sender.groups)
        ]  # fmt: skip
        stored, whole = path.stored, prod(map(len, (froms, neurons.groups)))
        for source, pre in froms:
            for k, post in enumerate(neurons.groups):
                connectivity, weight = _part(path, pre, post)
                delays = path.delay_s if path.delay_s.size == 1 else path.delay_s[pre]
                target = neurons.layer(k)
                again = any((p.pre, p.post) == (source, target) for p in self.projections)
                projection = Projection(
                    source, target, connectivity=connectivity, weight=weight,
                    delay_s=delays if delays.max() > 0 else None,
                    tau_synapse_s=0.0 if neurons.tau_syn is None else float(neurons.tau_syn[post[0]]),
                    label=("+".join(path.nodes) or "identity") if again else "",
                )  # fmt: skip
                self.projections.append(projection)
                self.stored[projection.name] = stored if whole == 1 else np.size(weight)


def _part(path: Path, pre: np.ndarray, post: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return the synapses of a path between some of its senders and some of its receivers."""
    if path.dense is not None:
        return AllToAll(), path.dense[np.ix_(pre, post)]
    if path.diagonal is not None and len(pre) == len(post) and np.array_equal(pre, post):
        return OneToOne(), path.diagonal[pre]
    if path.diagonal is not None:
        sources, targets, weights = np.arange(path.size), np.arange(path.size), path.diagonal
    else:
        sources, targets, weights = path.pairs
    keep = np.isin(sources, pre) & np.isin(targets, post)
    joined = Pairs(np.searchsorted(pre, sources[keep]), np.searchsorted(post, targets[keep]))
    return joined, weights[keep] if keep.any() else 0.0

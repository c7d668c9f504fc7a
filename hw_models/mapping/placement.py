"""A network on the cores of a chip: where every neuron lies, how full each limit is, and what travels between cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hw_models.constraints import Constraint, Demand, Violation
from hw_models.errors import WorkloadError
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.mesh import Mesh
from hw_models.mapping.messages import messages
from hw_models.mapping.queues import poisson_peak, poisson_tail
from hw_models.mapping.traffic import Traffic
from hw_models.workload import ROUTING_COUNTERS, Workload

_FORMATS = ("weight_bits", "state_bits", "delay_ticks", "queue_depth")  # kept or not, whatever the network's size


@dataclass(frozen=True)
class Slice:
    """Neurons ``first`` to ``last`` (not included) of a layer lie in one core."""

    layer: str
    first: int
    last: int
    core: int


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a network lies on a chip.

    Parameters
    ----------
    graph : what was placed, relay neurons included.
    serves : layers of relay neurons, and the layer that each serves.
    core : (n,) core of every neuron by layer, -1 of inputs from outside.
    between : (from, to, spikes of a presentation) between cores, empty where there are too many pairs to table.
    per_core : (cores,) neurons, synapse_bits, axons_in, axons_out and spikes_in of a presentation.
    constraints : every limit beside what is needed, the fullest first; ``violations``: the budgets that are passed.
    fans : mean synapses from a pre neuron and onto a post neuron, by connection.
    notes : what was assumed.
    """

    chip: str
    strategy: str
    graph: NetworkGraph
    serves: Mapping[str, str]
    core: Mapping[str, np.ndarray]
    mesh: Mesh
    traffic: Traffic
    between: tuple[np.ndarray, np.ndarray, np.ndarray]
    per_core: Mapping[str, np.ndarray]
    demand: Demand
    constraints: tuple[Constraint, ...]
    violations: tuple[Violation, ...]
    queue_depth: int | None
    fans: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...]

    @property
    def cores(self) -> int:
        """Number of cores in use."""
        return len(self.mesh.x)

    @property
    def chips(self) -> int:
        """Number of chips in use."""
        return self.mesh.chips

    @property
    def binds(self) -> str | None:
        """Name of the fullest limit among those that fill up as a network grows, None where the chip states none.

        The cores of the chip are one of them from the second core on.
        """
        trivial = {*_FORMATS, "cores"} if self.cores == 1 else _FORMATS
        return next((one.name for one in self.constraints if one.name not in trivial), None)

    @property
    def intercore_spikes(self) -> float:
        """Spikes of a presentation that leave a core, once for each other core that they reach."""
        return float(self.traffic.inflow.sum())

    @property
    def packets(self) -> float:
        """Packets of a presentation, those of inputs from outside included."""
        return self._total(self.traffic.packets)

    @property
    def hops(self) -> float:
        """Hops of the packets of a presentation."""
        return self._total(self.traffic.hops)

    @property
    def slices(self) -> list[Slice]:
        """Runs of neighbouring neurons of a layer that share a core."""
        found = []
        for layer in self.graph.placed:
            core = self.core[layer.name]
            ends = [0, *(np.flatnonzero(np.diff(core)) + 1).tolist(), len(core)]
            found += [Slice(layer.name, a, b, int(core[a])) for a, b in pairwise(ends)]
        return found

    def queue(self) -> dict[str, Any] | None:
        """Return the spikes that come into the busiest core in one tick, and how often they pass its queue.

        Spikes are taken as Poisson; ``peak`` is passed, over all cores, in less than one of a hundred presentations.
        None where it is not known of every layer how much it fires.
        """
        if not self.graph.spikes_known:
            return None
        arriving = self.traffic.inflow + self.traffic.outside
        expected, depth = float(arriving.max()) / self.graph.ticks, self.queue_depth
        return {
            "core": int(arriving.argmax()),
            "expected": expected,
            "peak": poisson_peak(expected, 100 * self.graph.ticks * self.cores),
            "depth": depth,
            "overflow_probability": None if depth is None else poisson_tail(expected, depth),
        }

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], int]:
        """Return the packets, hops and chip borders crossed in ``phase``, by (layer, counter).

        Layers send what :func:`hw_models.mapping.messages.messages` says; relay neurons fire with the layer that they
        serve.

        Raises
        ------
        WorkloadError
            If the workload has another phase or another layer than was placed.
        """
        counted = next((one for one in workload.phases if one.name == phase), None)
        if counted is None:
            raise WorkloadError(f"phase {phase!r} does not exist.", field="phase", remedy="Name one of the workload.")
        found, sent = {}, messages(workload, counted, self.fans)
        for layer in workload.layers:
            if layer.name not in self.core:
                raise WorkloadError(
                    "the layer was not placed.", field=f"layer {layer.name}", remedy="Place the same network."
                )
            if sent[layer.name]:
                tables = (self.traffic.packets, self.traffic.hops, self.traffic.borders)
                for counter, table in zip(ROUTING_COUNTERS, tables, strict=True):
                    if number := round(sent[layer.name] * self._per_spike(layer.name, table)):
                        found[layer.name, counter] = number
        return found

    def summary(self) -> dict[str, Any]:
        """Return what a report prints: cores, chips, what binds, utilisation, traffic of a presentation, the queue."""
        return {
            "chip": self.chip,
            "strategy": self.strategy,
            "neurons": self.graph.neurons,
            "relay_neurons": sum(self.graph.layer(name).neurons for name in self.serves),
            "cores": self.cores,
            "chips": self.chips,
            "binds": self.binds,
            "utilisation": {one.name: one.to_dict()["utilisation"] for one in self.constraints},
            "mean_utilisation": self._mean_utilisation(),
            "intercore_spikes": self.intercore_spikes,
            "packets": self.packets,
            "hops": self.hops,
            "queue": self.queue(),
            "synapse_bits": {
                "inference": int(self.demand.spare["synapse_bits_inference"]),
                "training": int(self.demand.spare["synapse_bits_training"]),
            },
            "notes": list(self.notes),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the placement as JSON types: the summary, every limit, every core and every slice."""
        places = zip(self.mesh.x.tolist(), self.mesh.y.tolist(), strict=True)
        columns = {name: values.tolist() for name, values in self.per_core.items()}
        return self.summary() | {
            "limits": [one.to_dict() for one in self.constraints],
            "violations": [one.to_dict() for one in self.violations],
            "mesh": [self.mesh.width, self.mesh.height],
            "cores_used": [
                {"core": k, "x": x, "y": y, **{name: values[k] for name, values in columns.items()}}
                for k, (x, y) in enumerate(places)
            ],
            "slices": [[one.layer, one.first, one.last, one.core] for one in self.slices],
        }

    def _mean_utilisation(self) -> dict[str, float]:
        """Return how full the cores in use are on average, of each limit that they have."""
        names = {"neurons_per_core": "neurons", "synapse_bits_per_core": "synapse_bits"}
        names |= {"axons_in_per_core": "axons_in", "axons_out_per_core": "axons_out"}
        limits = {one.name: one.limit for one in self.constraints if one.limit}
        return {name: float(self.per_core[key].mean()) / limits[name] for name, key in names.items() if name in limits}

    def _per_spike(self, layer: str, table: Mapping[str, np.ndarray]) -> float:
        """Return what one spike of ``layer`` brings about, that of its relays included."""
        spikes = self.graph.layer(layer).spikes_per_neuron()
        weights = spikes if spikes.sum() > 0 else np.ones(len(spikes))
        total = float(weights @ table[layer])
        for relay, served in self.serves.items():
            if served == layer:
                fired = self.graph.layer(relay).spikes_per_neuron()
                total += float((fired if spikes.sum() > 0 else np.ones(len(fired))) @ table[relay])
        return total / float(weights.sum())

    def _total(self, table: Mapping[str, np.ndarray]) -> float:
        return sum(float(layer.spikes_per_neuron() @ table[layer.name]) for layer in self.graph.layers)

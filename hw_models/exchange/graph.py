"""A spiking network neuron by neuron on the cores of a chip, and what its spikes set off there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hw_models.errors import WorkloadError
from hw_models.workload import Workload


@dataclass(frozen=True, eq=False)
class Group:
    """``neurons`` of one kind: an input that fires by list, or neurons with a ``model`` of named settings.

    ``spikes`` holds the ticks (n,) and the neurons (n,) at which it fired; of an input they drive the network.
    """

    name: str
    neurons: int
    model: Mapping[str, float | str | bool] | None = None
    spikes: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(0, np.int64),) * 2)

    @property
    def is_input(self) -> bool:
        """Whether it fires by list alone."""
        return self.model is None


@dataclass(frozen=True, eq=False)
class Edges:
    """Synapses from group ``pre`` to group ``post``: neuron numbers and weights, each (n_synapses,)."""

    pre: str
    post: str
    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class PlacedGraph:
    """Groups and edges with the core of every neuron.

    Parameters
    ----------
    cores : (n_neurons,) core numbers by group; cores are counted tile by tile, ``cores_per_tile`` on each.
    mesh : (width, height) in tiles; tile t lies at x = t // height, y = t % height.

    Raises
    ------
    WorkloadError
        If a group has no cores, a core does not exist, or an edge leaves its groups.
    """

    name: str
    groups: tuple[Group, ...]
    edges: tuple[Edges, ...]
    cores: Mapping[str, np.ndarray]
    mesh: tuple[int, int]
    cores_per_tile: int = 1

    def __post_init__(self) -> None:
        sizes = {group.name: group.neurons for group in self.groups}
        for name, size in sizes.items():
            _require_cores(name, size, self.cores.get(name), self.n_cores)
        for edge in self.edges:
            for end, numbers in ((edge.pre, edge.sources), (edge.post, edge.targets)):
                if end not in sizes or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < sizes[end]):
                    raise WorkloadError(
                        f"an edge leaves the group {end!r}.",
                        field=f"{edge.pre}->{edge.post}",
                        remedy="Count neurons from 0 within their group.",
                    )

    @property
    def n_cores(self) -> int:
        """Cores that the mesh has."""
        return self.mesh[0] * self.mesh[1] * self.cores_per_tile

    def position(self, cores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of the tiles that hold ``cores``."""
        return np.divmod(cores // self.cores_per_tile, self.mesh[1])

    def reach(self, group: Group) -> Reach:
        """Return what one spike of each neuron of ``group`` sets off."""
        sources, targets = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for edge in self.edges:
            if edge.pre == group.name:
                sources.append(np.asarray(edge.sources, np.int64))
                targets.append(np.asarray(self.cores[edge.post], np.int64)[edge.targets])
        source, core = np.concatenate(sources), np.concatenate(targets)
        pairs = np.unique(source * self.n_cores + core)
        sender, receiver = np.divmod(pairs, self.n_cores)
        home = np.asarray(self.cores[group.name], np.int64)[sender]
        distance = sum(abs(a - b) for a, b in zip(self.position(home), self.position(receiver), strict=True))
        return Reach(
            np.bincount(source, minlength=group.neurons),
            np.bincount(sender, minlength=group.neurons),
            np.bincount(sender, weights=distance, minlength=group.neurons).astype(np.int64),
        )


@dataclass(frozen=True, eq=False)
class Reach:
    """What one spike of each neuron sets off, each (n_neurons,): synaptic events, packets (one a core), and hops."""

    events: np.ndarray
    packets: np.ndarray
    hops: np.ndarray


class GraphPlacement:
    """Packets and hops of a placed graph's own spikes, as pricing takes a placement; they belong to ``phase``."""

    def __init__(self, graph: PlacedGraph, phase: str = "inference") -> None:
        self.phase, self._counts = phase, {}
        for group in graph.groups:
            reach, who = graph.reach(group), np.asarray(group.spikes[1], np.int64)
            self._counts[group.name, "packets"] = int(reach.packets[who].sum())
            self._counts[group.name, "hops"] = int(reach.hops[who].sum())
        self._cores = len(np.unique(np.concatenate([graph.cores[group.name] for group in graph.groups])))

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], int]:
        """Return packets and hops by layer."""
        return dict(self._counts) if phase == self.phase else {}

    def summary(self) -> dict[str, int]:
        """Return the cores in use, and the one chip that they are on."""
        return {"cores": self._cores, "chips": 1}


def _require_cores(name: str, size: int, cores: np.ndarray | None, n_cores: int) -> None:
    if cores is None or np.shape(cores) != (size,):
        raise WorkloadError(
            f"{size} neurons have {0 if cores is None else np.size(cores)} cores.",
            field=name,
            remedy="Place every neuron of every group.",
        )
    if not 0 <= np.min(cores) <= np.max(cores) < n_cores:
        raise WorkloadError(
            f"a neuron is placed outside cores 0 to {n_cores - 1}.", field=name, remedy="Enlarge the mesh."
        )

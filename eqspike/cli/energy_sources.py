"""Where ``eqspike energy`` takes its counts from: a run, a file of counts, recorded spikes, or a NIR model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from hw_models import Chip, Workload
    from hw_models.mapping import NetworkGraph, Placement

_SOURCES = "RUN, --counts, --spikes or --nir"


@dataclass(frozen=True)
class Counted:
    """A workload with its ``origin``, what its reader must know of it, and the network where it can be placed."""

    origin: Path
    workload: Workload
    notes: tuple[str, ...] = ()
    graph: Callable[[], NetworkGraph] | None = None

    def placed(self, chip: Chip, chips: int) -> Placement:
        """Return where the network lies on ``chips`` chips.

        Raises
        ------
        FitError
            if it does not fit.
        ConfigError
            if the counts come without their network.
        """
        from hw_models.mapping import place

        if self.graph is None:
            raise ConfigError(
                "these counts come without the synapses of their network.",
                field="--place",
                remedy="Place a RUN, or --spikes.",
            )
        graph = self.graph()
        if chip.knobs.weight_bits is not None:
            graph = graph.with_weight_bits(chip.knobs.weight_bits)
        learning = any(phase.learning and phase.presentations for phase in self.workload.phases)
        return place(graph, chip, chips=chips, learning=learning)


def counted(sources: dict[str, Path | None], network: str | None, data: Path | None, duration: float | None) -> Counted:
    """Return the counts of the one source that is given.

    Raises
    ------
    ConfigError
        if none is given, or several, or an option that the source has no use for.
    """
    given = {name: path for name, path in sources.items() if path is not None}
    if len(given) != 1:
        named = " and ".join(given) or "nothing"
        raise ConfigError(f"counts of {named} cannot be priced.", field="energy", remedy=f"Give one of {_SOURCES}.")
    ((name, path),) = given.items()
    for option, value, of in (
        ("--network", network, ("--spikes",)),
        ("--data", data, ("--nir",)),
        ("--duration", duration, ("--spikes", "--nir")),
    ):
        if value is not None and name not in of:
            raise ConfigError(f"{name} has no use for it.", field=option, remedy=f"Give it with {' or '.join(of)}.")
    if name == "--counts":
        from eqspike.costing.counts import read_counts

        return Counted(path, read_counts(path))
    if name == "--spikes":
        return _of_spikes(path, network, duration)
    return _of_nir(path, data, duration) if name == "--nir" else _of_run(path)


def _of_run(path: Path) -> Counted:
    from eqspike.costing.run import workload_of
    from eqspike.training.run import open_run

    run = open_run(path)

    def graph() -> NetworkGraph:
        from eqspike.costing.fit import graph_of_run

        return graph_of_run(run)

    return Counted(path, workload_of(run), graph=graph)


def _of_spikes(path: Path, network: str | None, duration: float | None) -> Counted:
    from eqspike.cli.simulate import resolve
    from eqspike.costing.spike_files import read_spikes
    from eqspike.costing.spikes import replay
    from eqspike.training.simulation_spec import parse_simulation

    found = read_spikes(path)
    if network is not None:
        spec = resolve(network, (), clock=None, duration_s=None, seed=None)
    elif found.settings is not None:
        spec = parse_simulation(found.settings, origin=str(path))
    else:
        raise ConfigError("the file does not say whose spikes they are.", field="--network", remedy="Name the network.")
    length = duration if duration is not None else found.time_s or spec.duration_s
    replayed = replay(spec, found.spikes, length)

    def graph() -> NetworkGraph:
        from eqspike.costing.fit import graph_of_spec
        from eqspike.costing.spikes import with_spikes

        return with_spikes(graph_of_spec(spec), found.spikes, replayed.workload.phases[0].ticks)

    return Counted(path, replayed.workload, replayed.notes, graph)


def _of_nir(path: Path, data: Path | None, duration: float | None) -> Counted:
    from functools import partial

    if data is None:
        raise ConfigError("a model counts nothing without samples.", field="--data", remedy="Give an .npz file.")
    from eqspike.bridges.nir import from_nir
    from eqspike.bridges.nir_file import read_nir
    from eqspike.bridges.nir_paths import kind
    from eqspike.costing.nir import read_samples, workload_of_nir

    model: Any = read_nir(path)
    samples = read_samples(data, tuple(name for name, node in model.nodes.items() if kind(node) == "Input"))
    workload = workload_of_nir(partial(from_nir, model), samples, duration_s=duration, name=path.stem)
    return Counted(path, workload)

"""What was recorded, as columns of NumPy arrays or as pandas tables; and its spikes by segment for other formats.

A spike of tick t, counted from 0, ends its tick: it is given the time (t + 1) ``tick_s``, as simulations do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from eqspike.core.errors import ModelError, ProbeError
from eqspike.core.ledger import PHASES

if TYPE_CHECKING:
    from eqspike.kernels.layout import Record
    from eqspike.substrates.spiking.simulation import Simulation
    from eqspike.substrates.spiking.substrate import SpikingSubstrate
    from eqspike.training.run import Run

Table = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of time from 0 to ``duration_s``: spikes by layer, and what was sampled every ``tick_s``.

    ``spikes`` are times (n,) in seconds and neurons (n,); ``signals`` hold arrays (n_ticks, n_neurons) by quantity and
    layer, the first row at ``tick_s``.
    """

    duration_s: float
    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]]
    signals: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    tick_s: float | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Segments of one network; ``sizes`` are the neurons of each of its layers that has spikes."""

    name: str
    sizes: Mapping[str, int]
    segments: tuple[Segment, ...]


def recording_of(
    source: Run | Simulation | Record | Recording,
    *,
    substrate: SpikingSubstrate | None = None,
    tick_s: float | None = None,
) -> Recording:
    """Return the spikes, and states where they were recorded, of a run, a simulation or an observed presentation.

    Parameters
    ----------
    source : a run with probes (a segment for every presentation), a simulation (one segment), or what
        ``substrate.observe`` returned.
    substrate, tick_s : of an observed presentation: who observed it, and the length of its ticks in seconds.

    Raises
    ------
    ProbeError
        if the run recorded no spikes.
    ModelError
        if ``source`` is none of these, or ``substrate`` or ``tick_s`` is missing.
    """
    if isinstance(source, Recording):
        return source
    if hasattr(source, "probes"):
        return _of_run(source)
    if hasattr(source, "raster"):
        return _of_record(source, substrate, tick_s)
    if hasattr(source, "spikes") and hasattr(source, "network"):
        spikes = {name: (np.asarray(each.t, np.float64), np.asarray(each.i)) for name, each in source.spikes.items()}
        sizes = {layer.name: layer.size for layer in source.network.layers}
        return Recording("simulation", sizes, (Segment(float(source.time_s), spikes),))
    raise ModelError(
        f"a {type(source).__name__} holds no spikes.", field="source", remedy="Give a run, a simulation or a record."
    )


def tables(source: Run | Simulation) -> dict[str, Table]:
    """Return every table that a run or a simulation recorded, as columns (n_rows,) by name.

    ``ledger`` (phase, name, counter, count) and ``spikes`` (segment, layer, neuron, time_s, where recorded) of both; of
    a run also ``metrics`` (a row an epoch), ``spikes_per_neuron``, and of its probes ``updates``, ``tick_totals``,
    ``weight_trajectory`` and ``task_accuracy``.

    Raises
    ------
    ModelError
        if ``source`` is neither.
    """
    if not hasattr(source, "ledger"):
        raise ModelError(
            f"a {type(source).__name__} holds no tables.", field="source", remedy="Give a run or a simulation."
        )
    is_run = hasattr(source, "probes")
    found = {
        "ledger": _columns(("phase", "name", "counter", "count"), (source.ledger if is_run else source.ledger()).rows())
    }
    if not is_run or "spikes/tick" in source.probes:
        found["spikes"] = _spikes(recording_of(source))
    if is_run:
        found["metrics"] = {name: np.array(values) for name, values in source.metrics.items()}
        found["spikes_per_neuron"] = _spikes_per_neuron(source)
        found |= _probes(source)
    return found


def frames(source: Run | Simulation) -> dict[str, Any]:
    """Return :func:`tables` as pandas data frames.

    Raises
    ------
    ModelError
        if pandas is not installed, or ``source`` is neither a run nor a simulation.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise ModelError(
            "there is no package pandas.", field="pandas", remedy="Install it with: pip install 'eqspike[interop]'."
        ) from None
    return {name: pd.DataFrame(columns) for name, columns in tables(source).items()}


def _of_run(run: Run) -> Recording:
    probes, spec = run.probes, run.spec
    if "spikes/tick" not in probes:
        raise ProbeError(
            "the run recorded no spikes.",
            field="probes.spikes",
            remedy="Train with --set probes.spikes=true --set probes.presentations=10.",
        )
    ticks = spec.phases.free_ticks + spec.phases.nudged_ticks
    names = [layer.name for layer in run.network.layers]
    segments = []
    for sample in range(spec.probes.presentations):
        rows = probes["spikes/sample"] == sample
        spikes = {}
        for place, name in enumerate(names):
            of = rows & (probes["spikes/layer"] == place)
            spikes[name] = ((probes["spikes/tick"][of] + 1) * spec.tick_s, probes["spikes/neuron"][of])
        signals = {
            (quantity, name): probes[f"{quantity}/{name}"][sample]
            for quantity in ("potential", "rate")
            for name in names
            if f"{quantity}/{name}" in probes and run.network.layer(name).kind == "lif"
        }
        segments.append(Segment(ticks * spec.tick_s, spikes, signals, spec.tick_s))
    return _without_static(Recording(spec.name, {layer.name: layer.size for layer in run.network.layers},
                                     tuple(segments)), run.network)  # fmt: skip


def _of_record(record: Record, substrate: SpikingSubstrate | None, tick_s: float | None) -> Recording:
    if substrate is None or tick_s is None:
        raise ModelError(
            "a record does not say whose it is.", field="substrate", remedy="Pass substrate= and tick_s= as well."
        )
    network = substrate.network
    blocks = {layer.name: substrate.compiled.block(layer.name) for layer in network.layers}
    spikes, signals = {}, {}
    for name, block in blocks.items():
        ticks, neurons = np.nonzero(record.raster[:, block])
        spikes[name] = ((ticks + 1) * tick_s, neurons)
        for quantity in ("potential", "rate"):
            values = getattr(record, quantity)[:, block]
            if len(values) and network.layer(name).kind == "lif":
                signals[quantity, name] = values
    sizes = {layer.name: layer.size for layer in network.layers}
    segment = Segment(len(record.raster) * tick_s, spikes, signals, tick_s)
    return _without_static(Recording("presentation", sizes, (segment,)), network)


def _without_static(recording: Recording, network: Any) -> Recording:
    """Return the recording without an input that is held: it has no spikes to speak of."""
    held = {layer.name for layer in network.layers if layer.kind == "static"}
    segments = tuple(
        Segment(s.duration_s, {k: v for k, v in s.spikes.items() if k not in held}, s.signals, s.tick_s)
        for s in recording.segments
    )
    return Recording(recording.name, {k: n for k, n in recording.sizes.items() if k not in held}, segments)


def _columns(names: tuple[str, ...], rows: Any) -> Table:
    listed = list(rows)
    return {
        name: np.array([row[k] for row in listed], None if listed else (np.int64 if name == "count" else str))
        for k, name in enumerate(names)
    }


def _spikes(recording: Recording) -> Table:
    parts = [
        (np.full(len(t), number), np.full(len(t), layer), i, t)
        for number, segment in enumerate(recording.segments)
        for layer, (t, i) in segment.spikes.items()
    ]
    kinds = (np.int64, str, np.int64, np.float64)
    columns = ("segment", "layer", "neuron", "time_s")
    return {
        name: np.concatenate([part[k] for part in parts]) if parts else np.zeros(0, kind)
        for k, (name, kind) in enumerate(zip(columns, kinds, strict=True))
    }


def _spikes_per_neuron(run: Run) -> Table:
    counted = run.substrate.spikes_per_neuron()
    rows = [
        (phase, layer, neuron, int(n))
        for layer, values in counted.items()
        for phase, of_phase in zip(PHASES, values, strict=True)
        for neuron, n in enumerate(of_phase)
    ]
    return _columns(("phase", "layer", "neuron", "count"), rows)


def _probes(run: Run) -> dict[str, Table]:
    probes, found = run.probes, {}
    layers = np.array([layer.name for layer in run.network.layers])
    projections = [projection.name for projection in run.network.projections]
    if "updates/tick" in probes:
        columns = ("sample", "tick", "projection", "from_pre", "pre", "post", "value")
        found["updates"] = {name: probes[f"updates/{name}"] for name in columns}
        found["updates"]["projection"] = np.array(projections)[probes["updates/projection"]]
    if "tick_totals" in probes:
        layer, tick = (axis.ravel() for axis in np.indices(probes["tick_totals"].shape))
        found["tick_totals"] = {"layer": layers[layer], "tick": tick, "spikes": probes["tick_totals"].ravel()}
    if "task_accuracy" in probes:
        epoch, task = (axis.ravel() for axis in np.indices(probes["task_accuracy"].shape))
        accuracies = probes["task_accuracy"].ravel()
        found["task_accuracy"] = {"epoch": epoch + 1, "task": task + 1, "accuracy": accuracies}
    parts = [_trajectory(probes, name) for name in projections if f"weight_trajectory/{name}/weight" in probes]
    if parts:
        found["weight_trajectory"] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return found


def _trajectory(probes: Mapping[str, np.ndarray], projection: str) -> Table:
    folder = f"weight_trajectory/{projection}"
    values = probes[f"{folder}/weight"]
    time, synapse = (axis.ravel() for axis in np.indices(values.shape))
    return {
        "projection": np.full(values.size, projection),
        "sample": probes[f"{folder}/sample"][time],
        "pre": probes[f"{folder}/pre"][synapse],
        "post": probes[f"{folder}/post"][synapse],
        "weight": values.ravel(),
    }

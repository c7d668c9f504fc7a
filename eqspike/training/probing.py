"""Probes of a run: what is recorded beside its metrics, as the arrays that a run file stores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eqspike.core.errors import ProbeError
from eqspike.kernels.layout import Record
from eqspike.substrates.spiking.substrate import SpikingSubstrate
from eqspike.training.spec import ProbeSettings


class WeightTrajectory:
    """Weights of a few synapses of every projection, evenly spaced, read as training goes on."""

    def __init__(self, substrate: SpikingSubstrate, synapses: int, stored: dict[str, np.ndarray]) -> None:
        self.chosen, self.times, self.values = {}, {}, {}
        weights, _ = substrate.get_weights()
        for name, values in weights.items():
            places = np.unique(np.linspace(0, values.size - 1, min(synapses, values.size)).astype(np.int64))
            self.chosen[name] = np.unravel_index(places, values.shape)
            folder = f"weight_trajectory/{name}"
            self.times[name] = stored[f"{folder}/sample"].tolist() if f"{folder}/sample" in stored else []
            self.values[name] = list(stored[f"{folder}/weight"]) if f"{folder}/weight" in stored else []

    def read(self, substrate: SpikingSubstrate, sample: int) -> None:
        """Append the weights as they are after ``sample`` presentations."""
        weights, _ = substrate.get_weights()
        for name, places in self.chosen.items():
            self.times[name].append(sample)
            self.values[name].append(weights[name][places])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the trajectory by its path below ``probes/``."""
        found = {}
        for name, (pre, post) in self.chosen.items():
            folder = f"weight_trajectory/{name}"
            found[f"{folder}/pre"], found[f"{folder}/post"] = pre, post
            found[f"{folder}/sample"] = np.array(self.times[name], np.int64)
            found[f"{folder}/weight"] = np.array(self.values[name], np.float64).reshape(-1, len(pre))
        return found


class TaskAccuracies:
    """Validation accuracies of all tasks, a row an epoch; ``task_epochs`` of them belong to each task in turn."""

    def __init__(self, tasks: int, task_epochs: int, stored: dict[str, np.ndarray]) -> None:
        self.tasks, self.task_epochs = tasks, task_epochs
        self.rows: list[list[float]] = stored["task_accuracy"].tolist() if "task_accuracy" in stored else []

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the table (n_epochs, n_tasks) by its path below ``probes/``, nothing where there is but one task."""
        if self.tasks < 2:
            return {}
        return {"task_accuracy": np.array(self.rows, np.float64).reshape(-1, self.tasks)}

    @property
    def first_kept(self) -> float | None:
        """The first task's last accuracy over the one with which its own epochs ended, None where neither is known."""
        if self.tasks < 2 or not 0 < self.task_epochs <= len(self.rows):
            return None
        learnt, now = self.rows[self.task_epochs - 1][0], self.rows[-1][0]
        return now / learnt if learnt > 0 else None


def observe_all(
    substrate: SpikingSubstrate, images: np.ndarray, labels: np.ndarray, settings: ProbeSettings
) -> dict[str, np.ndarray]:
    """Present the first samples once more with the chosen probes on, and return the arrays by path below ``probes/``.

    Raises
    ------
    ProbeError
        if there are fewer samples than asked for, or more updates than the probe has room for.
    """
    if settings.presentations > len(images):
        raise ProbeError(
            f"there are only {len(images)} test samples.", field="probes.presentations", remedy="Ask for fewer."
        )
    states = settings.potentials or settings.rates
    records = [
        substrate.observe(images, labels, sample, states=states, updates=settings.updates)
        for sample in range(settings.presentations)
    ]
    found: dict[str, np.ndarray] = {}
    blocks = {layer.name: substrate.compiled.block(layer.name) for layer in substrate.network.layers}
    if settings.spikes:
        found |= _spikes(records, blocks.values())
    for name, block in blocks.items():
        if settings.potentials:
            found[f"potential/{name}"] = np.stack([record.potential[:, block] for record in records])
        if settings.rates:
            found[f"rate/{name}"] = np.stack([record.rate[:, block] for record in records])
    if settings.tick_totals:
        found["tick_totals"] = np.array(
            [sum(r.raster[:, block].sum(axis=1, dtype=np.int64) for r in records) for block in blocks.values()]
        )
    return found | (_updates(records, settings.updates) if settings.updates else {})


def _spikes(records: list[Record], blocks: Iterable[slice]) -> dict[str, np.ndarray]:
    rows = [
        np.stack([np.full(len(ticks), sample), ticks, np.full(len(ticks), layer), neurons])
        for sample, record in enumerate(records)
        for layer, block in enumerate(blocks)
        for ticks, neurons in [np.nonzero(record.raster[:, block])]
    ]
    columns = np.concatenate(rows, axis=1) if rows else np.zeros((4, 0), np.int64)
    return {f"spikes/{name}": columns[k] for k, name in enumerate(("sample", "tick", "layer", "neuron"))}


def _updates(records: list[Record], room: int) -> dict[str, np.ndarray]:
    most = max(int(record.n_updates[0]) for record in records)
    if most > room:
        raise ProbeError(
            f"a presentation computes {most} updates, more than the {room} that fit.",
            field="probes.updates",
            remedy=f"Raise it to {most}.",
        )
    found = {}
    counts = [int(record.n_updates[0]) for record in records]
    found["updates/sample"] = np.repeat(np.arange(len(records)), counts)
    places = np.concatenate([record.update_place[:n] for record, n in zip(records, counts, strict=True)])
    for column, name in enumerate(("tick", "projection", "from_pre", "pre", "post")):
        values = places[:, column]
        found[f"updates/{name}"] = values.astype(bool) if name == "from_pre" else values.astype(np.int64)
    found["updates/value"] = np.concatenate([r.update_value[:n] for r, n in zip(records, counts, strict=True)])
    return found

"""What a NIR model counts on given samples, as a workload."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.network.inputs import SpikeList
from eqspike.substrates.spiking.memory import clock_bits
from eqspike.substrates.spiking.simulation import Simulation
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

DEFAULT_DURATION_S = 0.1
MOST_VALUES = 1 << 28  # of an array of samples
# What NumPy, zipfile and zlib raise on files that are not what they seem.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, EOFError, RuntimeError, SyntaxError, TypeError,
    AttributeError, OverflowError, MemoryError,
)  # fmt: skip


class Model(Protocol):
    """A model as :func:`eqspike.bridges.nir.from_nir` makes it: a network with what does not run in it said apart."""

    network: Any
    tick_s: float
    spike_s: float
    sources: tuple[str, ...]
    constant: tuple[str, ...]
    stored: Mapping[str, int]
    held: tuple

    def simulate(self, duration_s: float, given: Mapping[str, SpikeList] | None = None, **options: Any) -> Simulation:
        """Run."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples for one Input each: ``held`` values (samples, n), or ``spikes`` (samples, steps, n)."""

    held: Mapping[str, np.ndarray] = field(default_factory=dict)
    spikes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return min((len(values) for values in (*self.held.values(), *self.spikes.values())), default=0)


def read_samples(path: str | PathLike, inputs: tuple[str, ...]) -> Samples:
    """Return the samples in an .npz file for a model with these Inputs.

    The file holds ``x`` (samples, n), values that are held for a presentation, or ``spikes`` (samples, steps, n), the
    number of spikes in each step of the model. With several Inputs each has its own: ``x/NAME`` or ``spikes/NAME``.

    Raises
    ------
    DataError
        if there is no such file, it is damaged, or an Input finds no samples in it. Nothing is unpickled.
    """
    where = str(path)
    if not Path(path).is_file():
        raise DataError("there is no such file.", field=where, remedy="Check the path.")
    found: dict[str, dict[str, np.ndarray]] = {"x": {}, "spikes": {}}
    try:
        with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            for name in inputs:
                keys = [f"{kind}/{name}" for kind in found] + (list(found) if len(inputs) == 1 else [])
                key = next((key for key in keys if key in file.files), None)
                if key is None:
                    raise DataError(f"no samples for {name!r}.", field=where, remedy=f"Store {' or '.join(keys)}.")
                found[key.partition("/")[0]][name] = _checked(file, key, where)
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(
            f"this is no .npz file, or it is damaged ({reason}).",
            field=where,
            remedy="Save it again with numpy.savez.",
        ) from error
    samples = Samples(found["x"], found["spikes"])
    if not len(samples):
        raise DataError("there are no samples.", field=where, remedy="Store at least one.")
    return samples


def _checked(file: Any, key: str, where: str) -> np.ndarray:
    """Return an array of samples whose header was looked at first."""
    with file.zip.open(f"{key}.npy") as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read(member)
    wanted = 2 if key.startswith("x") else 3
    for wrong, problem, remedy in (
        (kind.kind not in "biuf", f"the array holds {kind}, not numbers", "Store numbers."),
        (len(shape) != wanted, f"the array has shape {shape}", f"Store {wanted} dimensions, samples first."),
        (np.prod([float(n) for n in shape]) > MOST_VALUES, f"the array declares shape {shape}", "Store fewer samples."),
    ):
        if wrong:
            raise DataError(f"{problem}.", field=f"{where}: {key}", remedy=remedy)
    values = np.asarray(file[key], np.float64)
    if not np.isfinite(values).all() or (wanted == 3 and (values < 0).any()):
        raise DataError(
            "a value is not finite, or a number of spikes is negative.", field=f"{where}: {key}", remedy="Mend it."
        )
    return values


def workload_of_nir(
    load: Callable[..., Model],
    samples: Samples,
    *,
    duration_s: float | None = None,
    name: str = "nir",
    weight_bits: int | None = None,
    limit: int | None = None,
) -> Workload:
    """Return what a model counts on ``samples``: one presentation each, every one from rest.

    Held inputs are multiplied once a presentation, values that are not 0 (MACs), and then are a current; biases are
    part of the neuron's update. Chains of linear nodes count as their product.

    Parameters
    ----------
    load : returns the model, taking ``held`` values by Input: ``partial(from_nir, graph)``.
    duration_s : of a presentation; by default the steps of its spikes, else 0.1 s.
    weight_bits : bits that a weight is stored in, by default those that the clock computes with.
    limit : samples at most.

    Raises
    ------
    ConfigError
        if samples do not fit the model.
    """
    counted = _Counted()
    for k in range(min(len(samples), limit or len(samples))):
        model = load(held={input_: values[k] for input_, values in samples.held.items()})
        given, longest = dict(_spikes(model, samples, k)), 0.0
        if samples.spikes:
            longest = max(values.shape[1] for values in samples.spikes.values()) * model.spike_s
        simulation = model.simulate(duration_s or longest or DEFAULT_DURATION_S, given)
        counted.add(model, simulation, weight_bits or clock_bits(simulation.clock))
    return counted.workload(name)


def _spikes(model: Model, samples: Samples, k: int) -> Iterator[tuple[str, SpikeList]]:
    sizes = {layer.name: layer.size for layer in model.network.layers}
    for source in model.sources:
        values = samples.spikes[source][k]
        if values.shape[1] != sizes[source]:
            raise ConfigError(
                f"{values.shape[1]} neurons have spikes, the Input has {sizes[source]}.",
                field=source,
                remedy="Store (samples, steps, n).",
            )
        steps, neurons = np.nonzero(values)
        times = np.repeat((steps + 1) * model.spike_s, values[steps, neurons].astype(np.int64))
        yield source, SpikeList(times, np.repeat(neurons, values[steps, neurons].astype(np.int64)))


class _Counted:
    """Shapes, and counts over all presentations so far."""

    def __init__(self) -> None:
        self.layers: dict[str, LayerShape] = {}
        self.projections: dict[str, ProjectionShape] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.presentations, self.ticks, self.tick_s = 0, 0, 0.0

    def add(self, model: Model, simulation: Simulation, bits: int) -> None:
        """Add one presentation; layers that only carry constant currents are no part of the hardware."""
        unreal = {*model.constant, "idle"} - set(model.sources)
        for held in model.held:
            name = f"{held.source}->{held.target}"
            first = next(layer for layer in model.network.layers if layer.name.partition("#")[0] == held.target)
            self.layers[held.source] = LayerShape(held.source, len(held.values), stateful=False)
            self.projections[name] = ProjectionShape(name, held.source, first.name, held.stored, bits, False, False)
            self._count(name, "macs_forward", held.macs)
        for layer in model.network.layers:
            if layer.name not in unreal:
                self.layers[layer.name] = LayerShape(layer.name, layer.size, layer.kind == "lif")
        for p in model.network.projections:
            if p.pre not in unreal:
                stored = model.stored[p.name]
                self.projections[p.name] = ProjectionShape(p.name, p.pre, p.post, stored, bits, False, False)
        known = {*self.layers, *self.projections}
        for _, row, counter, n in simulation.ledger().rows():
            if row in known:
                self._count(row, counter, n)
        self.presentations, self.ticks = self.presentations + 1, self.ticks + simulation.ticks
        self.tick_s = model.tick_s

    def _count(self, row: str, counter: str, n: int) -> None:
        self.counts[row, counter] = self.counts.get((row, counter), 0) + n

    def workload(self, name: str) -> Workload:
        """Return all presentations as the phase inference."""
        phase = PhaseCounts("inference", self.presentations, self.ticks, self.counts)
        return Workload(name, tuple(self.layers.values()), tuple(self.projections.values()), (phase,), self.tick_s)

"""The workload: shapes and counted events of any network, in plain numbers, knowing no simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from types import MappingProxyType

from hw_models.errors import WorkloadError

LAYER_COUNTERS = ("spikes", "neuron_updates", "trace_updates", "saturations")
PROJECTION_COUNTERS = (
    "synaptic_events_forward",
    "synaptic_events_backward",
    "macs_forward",
    "macs_backward",
    "weight_writes",
    "weight_flips",
    "suppressed_updates",
    "accumulator_writes",
    "saturations",
)
COUNTERS = tuple(dict.fromkeys(LAYER_COUNTERS + PROJECTION_COUNTERS))
ROUTING_COUNTERS = ("packets", "hops", "offchip_packets")  # made from spikes by a placement, never by a run
LEARNING_COUNTERS = ("trace_updates", "weight_writes", "weight_flips", "suppressed_updates", "accumulator_writes")


@dataclass(frozen=True)
class LayerShape:
    """A layer; ``stateful`` is False for an input that is held or replayed and so keeps no neuron state."""

    name: str
    neurons: int
    stateful: bool = True

    def __post_init__(self) -> None:
        _require_count(self.neurons, f"layer {self.name}: neurons")


@dataclass(frozen=True)
class ProjectionShape:
    """A projection from layer ``pre`` to layer ``post`` with ``synapses`` stored weights.

    ``bidirectional``: the same weights are read from post to pre too. ``accumulator_bits``: width of a sum that each
    synapse of a plastic projection keeps until its update acts, 0 where an update acts at once.
    """

    name: str
    pre: str
    post: str
    synapses: int
    weight_bits: int
    bidirectional: bool
    plastic: bool
    accumulator_bits: int = 0

    def __post_init__(self) -> None:
        for key in ("synapses", "weight_bits", "accumulator_bits"):
            _require_count(getattr(self, key), f"projection {self.name}: {key}")
        if self.weight_bits == 0:
            raise WorkloadError(
                "a weight has no bits.",
                field=f"projection {self.name}: weight_bits",
                remedy="Give the stored width, 1 or more.",
            )


@dataclass(frozen=True)
class PhaseCounts:
    """Counts of one phase over all its presentations: ``counts[entity, counter]``, entity a layer or a projection.

    ``learning``: the phase runs while the chip learns, so traces and accumulators must be held in memory.
    """

    name: str
    presentations: int
    ticks: int
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    learning: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))
        _require_count(self.presentations, f"phase {self.name}: presentations")
        _require_count(self.ticks, f"phase {self.name}: ticks")
        for (entity, counter), count in self.counts.items():
            _require_count(count, f"phase {self.name}: {entity}: {counter}")


@dataclass(frozen=True)
class Workload:
    """What a network did, ready to be priced: shapes, counts per phase, and the seconds that one tick emulates.

    Raises
    ------
    WorkloadError
        If the tick is missing, a name is unknown or taken twice, or a count is negative.
    """

    name: str
    layers: tuple[LayerShape, ...]
    projections: tuple[ProjectionShape, ...]
    phases: tuple[PhaseCounts, ...]
    tick_s: float

    def __post_init__(self) -> None:
        for key in ("layers", "projections", "phases"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        require_tick(self.tick_s)
        layers = {layer.name for layer in self.layers}
        projections = {projection.name for projection in self.projections}
        if len(layers | projections) < len(self.layers) + len(self.projections):
            raise WorkloadError("a name is taken twice.", field="layers, projections", remedy="Rename one of them.")
        if len({phase.name for phase in self.phases}) < len(self.phases):
            raise WorkloadError("a name is taken twice.", field="phases", remedy="Rename one of them.")
        for projection in self.projections:
            for end in (projection.pre, projection.post):
                if end not in layers:
                    raise WorkloadError(
                        f"layer {end!r} does not exist.",
                        field=f"projection {projection.name}",
                        remedy=f"Layers: {', '.join(sorted(layers))}.",
                    )
        for phase in self.phases:
            for entity, counter in phase.counts:
                _require_counter(phase.name, entity, counter, layers, projections)

    def of(self, *phases: str) -> Workload:
        """Return the workload of some of its phases alone.

        Raises
        ------
        WorkloadError
            If one of them does not exist.
        """
        for name in phases:
            self.total(name, "spikes")
        return replace(self, phases=tuple(phase for phase in self.phases if phase.name in phases))

    def total(self, phase: str, counter: str) -> int:
        """Return the sum of ``counter`` in ``phase``; ``synaptic_events`` and ``macs`` add both directions."""
        for candidate in self.phases:
            if candidate.name == phase:
                return sum(n for (_, name), n in candidate.counts.items() if counter in (name, base_counter(name)))
        known = ", ".join(candidate.name for candidate in self.phases)
        raise WorkloadError(f"phase {phase!r} does not exist.", field="phase", remedy=f"Phases: {known}.")


def base_counter(counter: str) -> str:
    """Return ``counter`` without its direction: ``macs_forward`` becomes ``macs``, others stay."""
    return counter.removesuffix("_forward").removesuffix("_backward")


def require_tick(tick_s: float | None) -> None:
    """Refuse a tick that is missing, zero, negative or not finite: static energy hangs on it."""
    if tick_s is None or not 0 < tick_s < float("inf"):
        raise WorkloadError(
            f"the tick is {tick_s!r}.", field="tick_s", remedy="Give the seconds of one tick, a number above zero."
        )


def _require_count(count: int, where: str) -> None:
    if not isinstance(count, Integral) or count < 0:
        raise WorkloadError(f"{count!r} is not a count.", field=where, remedy="Give a whole number, zero or more.")


def _require_counter(phase: str, entity: str, counter: str, layers: set[str], projections: set[str]) -> None:
    if entity not in layers | projections:
        raise WorkloadError(
            f"no layer or projection is called {entity!r}.",
            field=f"phase {phase}",
            remedy=f"Known: {', '.join(sorted(layers | projections))}.",
        )
    known = LAYER_COUNTERS if entity in layers else PROJECTION_COUNTERS
    if counter not in known:
        raise WorkloadError(
            f"{counter!r} is not counted for {entity!r}.",
            field=f"phase {phase}",
            remedy=f"Counters: {', '.join(known)}.",
        )

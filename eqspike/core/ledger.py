"""The ledger: exact counts of every event that costs energy, per phase, layer and projection.

Counters per layer: ``spikes``, ``neuron_updates``, ``trace_updates``, ``saturations``. Counters per projection:
``synaptic_events`` and ``macs`` (each forward and backward), ``weight_writes``, ``weight_flips``,
``suppressed_updates``, ``accumulator_writes``, ``saturations``. Per phase: ``ticks`` and ``presentations``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from eqspike.core import html
from eqspike.core.notebook import card

LEDGER_VERSION = 1
PHASES = ("free", "nudged", "inference")
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


@dataclass
class PhaseCounts:
    """Counts of one phase: ``layers`` is (n_layers, n_layer_counters), ``projections`` (n_projections, n_counters)."""

    layers: np.ndarray
    projections: np.ndarray
    ticks: int = 0
    presentations: int = 0

    def __iadd__(self, other: PhaseCounts) -> PhaseCounts:
        self.layers += other.layers
        self.projections += other.projections
        self.ticks += other.ticks
        self.presentations += other.presentations
        return self


@dataclass
class Ledger:
    """Counted events of a run; ``layers`` and ``projections`` are the names of its rows, in order."""

    layers: tuple[str, ...]
    projections: tuple[str, ...]
    phases: dict[str, PhaseCounts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in PHASES:
            self.phases.setdefault(
                name,
                PhaseCounts(
                    np.zeros((len(self.layers), len(LAYER_COUNTERS)), np.int64),
                    np.zeros((len(self.projections), len(PROJECTION_COUNTERS)), np.int64),
                ),
            )

    def __iadd__(self, other: Ledger) -> Ledger:
        for name, counts in other.phases.items():
            self.phases[name] += counts
        return self

    def total(self, phase: str, counter: str) -> int:
        """Sum of ``counter`` over all rows of ``phase``; ``synaptic_events`` and ``macs`` add both directions."""
        counts = self.phases[phase]
        if counter in ("ticks", "presentations"):
            return int(getattr(counts, counter))
        total = 0
        if counter in LAYER_COUNTERS:
            total += int(counts.layers[:, LAYER_COUNTERS.index(counter)].sum())
        for column, name in enumerate(PROJECTION_COUNTERS):
            if name == counter or name.rpartition("_")[0] == counter:
                total += int(counts.projections[:, column].sum())
        return total

    def per_presentation(self, counter: str, *phases: str) -> float:
        """Mean of ``counter`` over the presentations of ``phases`` (which share their presentations)."""
        presentations = max(self.phases[name].presentations for name in phases)
        return sum(self.total(name, counter) for name in phases) / presentations if presentations else 0.0

    def rows(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield (phase, row name, counter, count) for every count that is not zero."""
        for phase, counts in self.phases.items():
            for names, counters, table in (
                (self.layers, LAYER_COUNTERS, counts.layers),
                (self.projections, PROJECTION_COUNTERS, counts.projections),
            ):
                for row, column in zip(*np.nonzero(table), strict=True):
                    yield phase, names[row], counters[column], int(table[row, column])
            if counts.ticks:
                yield phase, "run", "ticks", counts.ticks
            if counts.presentations:
                yield phase, "run", "presentations", counts.presentations

    def _repr_html_(self) -> str:
        rows = [(phase, name, counter.replace("_", " "), f"{count:,}") for phase, name, counter, count in self.rows()]
        return card("Ledger", html.table("Counted events", ("phase", "of", "counter", "count"), rows, left=3))

    def to_dict(self) -> dict:
        """Return the ledger as plain JSON types, the form that run files store."""
        return {
            "version": LEDGER_VERSION,
            "layers": list(self.layers),
            "projections": list(self.projections),
            "phases": {
                name: {
                    "ticks": counts.ticks,
                    "presentations": counts.presentations,
                    "layers": counts.layers.tolist(),
                    "projections": counts.projections.tolist(),
                }
                for name, counts in self.phases.items()
            },
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> Ledger:
        """Rebuild a ledger from :meth:`to_dict`."""
        ledger = cls(tuple(stored["layers"]), tuple(stored["projections"]))
        for name, counts in stored["phases"].items():
            ledger.phases[name] += PhaseCounts(
                np.array(counts["layers"], np.int64).reshape(len(ledger.layers), len(LAYER_COUNTERS)),
                np.array(counts["projections"], np.int64).reshape(len(ledger.projections), len(PROJECTION_COUNTERS)),
                counts["ticks"],
                counts["presentations"],
            )
        return ledger

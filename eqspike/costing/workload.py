"""From a run's ledger and its network's shape to a workload that can be priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS, Ledger
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

LEARNING_PHASES = ("free", "nudged")


@dataclass(frozen=True)
class ProjectionInfo:
    """What pricing must know of a projection; ``accumulator_bits`` wait at a synapse for a phase's end."""

    name: str
    pre: str
    post: str
    synapses: int
    weight_bits: int
    bidirectional: bool
    plastic: bool
    accumulator_bits: int = 0


def to_workload(
    ledger: Ledger,
    layers: Sequence[tuple[str, int]],
    projections: Iterable[ProjectionInfo | Mapping],
    tick_s: float,
    name: str,
) -> Workload:
    """Return ``ledger`` as a workload of the network with these layers and projections.

    Parameters
    ----------
    ledger : counted events of the run.
    layers : (name, number of neurons) of every layer of the ledger. A layer whose state was never evaluated, such as a
        static or a replayed input, holds no neuron state on the chip.
    projections : one entry per projection of the ledger; a mapping holds the fields of :class:`ProjectionInfo`.
    tick_s : seconds that one tick emulates.
    name : shown in the report.

    Raises
    ------
    hw_models.errors.WorkloadError
        If the ledger names a layer or a projection that is not described, or the tick is missing.
    """
    infos = [info if isinstance(info, ProjectionInfo) else ProjectionInfo(**info) for info in projections]
    phases = tuple(_phase(ledger, phase) for phase in ledger.phases)
    evaluated = {entity for phase in phases for entity, counter in phase.counts if counter == "neuron_updates"}
    return Workload(
        name=name,
        layers=tuple(LayerShape(layer, int(neurons), layer in evaluated) for layer, neurons in layers),
        projections=tuple(map(_shape, infos)),
        phases=phases,
        tick_s=tick_s,
    )


def _phase(ledger: Ledger, phase: str) -> PhaseCounts:
    counted = ledger.phases[phase]
    tables = (
        (ledger.layers, LAYER_COUNTERS, counted.layers),
        (ledger.projections, PROJECTION_COUNTERS, counted.projections),
    )
    counts = {
        (entity, counter): int(table[row, column])
        for names, counters, table in tables
        for row, entity in enumerate(names)
        for column, counter in enumerate(counters)
        if table[row, column]
    }
    return PhaseCounts(phase, counted.presentations, counted.ticks, counts, learning=phase in LEARNING_PHASES)


def _shape(info: ProjectionInfo) -> ProjectionShape:
    return ProjectionShape(
        info.name,
        info.pre,
        info.post,
        int(info.synapses),
        int(info.weight_bits),
        info.bidirectional,
        info.plastic,
        info.accumulator_bits,
    )

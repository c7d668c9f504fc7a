"""Wear: how often a synapse is written per training sample, against what its device survives."""

from __future__ import annotations

from hw_models.chips import Chip
from hw_models.estimator.book import Book
from hw_models.report import Band, Endurance
from hw_models.workload import Workload


def endurance(workload: Workload, chip: Chip, book: Book) -> Endurance | None:
    """Return the wear of the projection whose synapses are written most, None where nothing is written."""
    learning = [phase for phase in workload.phases if phase.learning]
    samples = max((phase.presentations for phase in learning), default=0)
    if not samples:
        return None
    rates = {
        projection.name: sum(phase.counts.get((projection.name, "weight_writes"), 0) for phase in learning)
        / (projection.synapses * samples)
        for projection in workload.projections
        if projection.synapses
    }
    most = max(rates, key=rates.get, default=None)
    if most is None or not rates[most]:
        return None
    if chip.endurance is None:
        return Endurance(most, rates[most])
    limit = book.use(chip.endurance.writes).si
    return Endurance(most, rates[most], Band(*(bound / rates[most] for bound in (limit.value, limit.low, limit.high))))

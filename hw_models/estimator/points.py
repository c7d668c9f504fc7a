"""Published operating points, recomputed with the same arithmetic as every other price."""

from __future__ import annotations

from collections.abc import Callable

from hw_models.chips import Chip
from hw_models.chips.operating import OperatingPoint
from hw_models.estimator.footprint import Footprint
from hw_models.estimator.latency import Tick
from hw_models.estimator.static import static_rows
from hw_models.report import Band, CostRow, Reproduced
from hw_models.workload import (
    LAYER_COUNTERS,
    PROJECTION_COUNTERS,
    ROUTING_COUNTERS,
    LayerShape,
    PhaseCounts,
    ProjectionShape,
    Workload,
)

SECONDS = 1_000_000  # rates become whole counts of this many seconds


def reproduced(point: OperatingPoint, chip: Chip, pricing: Callable) -> Reproduced:
    """Return ``point`` beside the power, or the energy per event, that the chip's constants give at its rates."""
    there = chip.at(node_nm=point.node_nm, variant=point.variant, vdd=point.vdd, clock_hz=point.clock_hz)
    energy = sum(row.energy_j for row in _rows(point, there, pricing) if row.kind in point.parts)
    modelled = energy / SECONDS
    if point.quantity == "energy_per_event_j":
        modelled /= point.rates["synaptic_events"]
    known = (str(point.evidence), point.source, point.note, point.independent)
    return Reproduced(point.name, point.quantity, point.measured_si(), modelled, *known)


def _rows(point: OperatingPoint, chip: Chip, pricing: Callable) -> list[CostRow]:
    phase = PhaseCounts("point", 1, 1, _counts(point))
    bits = point.weight_bits or chip.max_weight_bits or chip.limits.value("weight_bits") or chip.word_bits
    layers = (LayerShape("neurons", point.neurons),)
    synapses = ProjectionShape("synapses", "neurons", "neurons", 1, bits, False, False)
    workload = Workload(point.name, layers, (synapses,), (phase,), float(SECONDS))
    made = pricing(workload, chip, float(SECONDS), _Routed(point))
    size = Footprint(point.footprint_kb or 0.0, 0.0, point.neurons, 0, point.cores or 1, 1)
    duration = Tick(Band.exact(SECONDS), "given").times(1)
    return [*static_rows(chip, made.book, "point", 1, size, duration), *made.phase_rows(phase)]


def _counts(point: OperatingPoint) -> dict[tuple[str, str], int]:
    counts = {}
    for counter, rate in point.rates.items():
        if counter in LAYER_COUNTERS:
            counts["neurons", counter] = round(rate * SECONDS)
        elif counter not in ROUTING_COUNTERS:
            name = counter if counter in PROJECTION_COUNTERS else f"{counter}_forward"
            counts["synapses", name] = round(rate * SECONDS)
    return counts


class _Routed:
    """The packets and hops that a point states, and no others."""

    def __init__(self, point: OperatingPoint) -> None:
        self._rates = {counter: rate for counter, rate in point.rates.items() if counter in ROUTING_COUNTERS}

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], float]:
        return {("neurons", counter): rate * SECONDS for counter, rate in self._rates.items()}

    def summary(self) -> dict:
        return {}

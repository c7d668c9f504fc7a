"""Pricing: every count times its price, static power times hardware time, and what stands beside the joules.

E = P_static t + P_clock f t + sum over actions (count x price x overhead),   t = max(ticks x tick, busy time)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Protocol

from hw_models.chips import Chip
from hw_models.errors import UnpricedError
from hw_models.estimator import notes, wear
from hw_models.estimator.actions import Actions
from hw_models.estimator.book import Book, zero_row
from hw_models.estimator.footprint import Footprint, footprint, footprint_kb
from hw_models.estimator.latency import Tick, phase_time
from hw_models.estimator.points import reproduced
from hw_models.estimator.static import area_mm2, static_rows
from hw_models.report import PARTS, Band, CostReport, CostRow, PhaseSize, PhaseTime, Reproduced
from hw_models.workload import ROUTING_COUNTERS, PhaseCounts, Workload, require_tick


class Placement(Protocol):
    """Where a network lies on the cores of a chip, and what its spikes cost to route."""

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], float]:
        """Return counts by (layer, counter) for the counters packets, hops and offchip_packets."""

    def summary(self) -> dict:
        """Return plain facts; ``cores`` in use and ``chips`` are read by static power."""


def price(
    workload: Workload, chip: Chip, tick_s: float | None = None, placement: Placement | None = None
) -> CostReport:
    """Price ``workload`` on ``chip``; a phase without presentations gives no rows.

    Parameters
    ----------
    workload : counted events and shapes.
    chip : from :func:`hw_models.load_chip`.
    tick_s : seconds of one tick on the hardware; without it the chip's own tick, else the workload's.
    placement : counts packets and hops; without it the chip's routing per spike is taken, with a warning.

    Raises
    ------
    UnpricedError
        If no price is published for the chip, a counted action has none, or its constant is unstated or only recalled.
    """
    if chip.unpriced is not None:
        raise UnpricedError(
            f"{chip.unpriced}.", field=chip.name, remedy="Its limits can be checked; price on another chip."
        )
    return Pricing(workload, chip, tick_s, placement).report()


def operating_points(chip: Chip) -> tuple[Reproduced, ...]:
    """Return the published operating points of ``chip``, each beside what the chip's constants give there.

    They are those of the chip as published, whatever knobs were turned since.
    """
    origin = chip.base or chip
    return tuple(reproduced(point, origin, Pricing) for point in origin.operating_points)


@dataclass
class Pricing:
    """One pricing: the chip, the workload and the placement at hand, and the constants leaned on so far."""

    workload: Workload
    chip: Chip
    given_tick_s: float | None = None
    placement: Placement | None = None
    book: Book = field(init=False)
    actions: Actions = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book(self.chip)
        shapes = {projection.name: projection for projection in self.workload.projections}
        self.actions = Actions(self.chip, self.book, shapes)

    def report(self) -> CostReport:
        """Return the report of all phases."""
        tick, chip, book = self.tick(), self.chip, self.book
        phases = [phase for phase in self.workload.phases if phase.presentations]
        sizes = {learning: self._size(learning) for learning in (False, True)}
        latency: dict[str, PhaseTime] = {}
        rows = tuple(row for phase in phases for row in self._phase_rows(phase, tick, sizes, latency))
        trained = any(phase.learning for phase in phases)
        kilobytes = {
            name: footprint_kb(self.workload, chip, learning=learning)
            for name, learning in (("inference_kb", False), ("training_kb", True))
        }
        area = area_mm2(chip, book, sizes[trained])
        worn = wear.endurance(self.workload, chip, book)
        routed = self.placement is None and any(row.action in ROUTING_COUNTERS for row in rows)
        assumed = tuple(notes.assumptions(chip, book, tick, sizes, kilobytes))
        return CostReport(
            chip=chip.name,
            device=chip.device,
            node_nm=chip.node_nm,
            vdd=chip.vdd,
            tick_s=tick.band.value,
            tick_source=tick.source,
            workload=self.workload.name,
            phases={phase.name: self._phase_size(phase) for phase in phases},
            rows=rows,
            parts=chip.parts,
            assumptions=assumed,
            warnings=tuple(notes.warnings(self.workload, chip, book, tick, rows, latency, routed, self._unpriced())),
            not_modelled=chip.not_modelled,
            weakest_evidence=self._weakest(),
            constants={key: asdict(used.constant) for key, used in book.used.items()},
            bands={key: used.si for key, used in book.used.items()},
            latency=latency,
            area_mm2=area,
            endurance=worn,
            operating_points=operating_points(chip),
            variants=dict(self._variants()),
            footprint=kilobytes,
            placement=self.placement.summary() if self.placement is not None else None,
        )

    def tick(self) -> Tick:
        """Return the tick: the one given, the chip's own, or the workload's."""
        given = self.given_tick_s if self.given_tick_s is not None else self.chip.knobs.tick_s
        if given is not None:
            require_tick(given)
            return Tick(Band.exact(given), "given")
        if self.chip.tick is not None:
            used = self.book.use(self.chip.tick)
            return Tick(used.si, "chip", used)
        return Tick(Band.exact(self.workload.tick_s), "workload")

    def phase_rows(self, phase: PhaseCounts) -> Iterator[CostRow]:
        """Yield the rows of what ``phase`` counted, routing included."""
        priced = {"packets", "hops"} & set(self.chip.actions)
        for (entity, counter), count in phase.counts.items():
            if count:
                yield from self.actions.rows(phase.name, entity, counter, int(count))
                if counter == "spikes" and priced and self.placement is None:
                    yield from self.actions.routed(phase.name, entity, int(count))
        if self.placement is not None:
            for (entity, counter), count in self.placement.counts(phase.name, self.workload).items():
                if count and (counter in self.chip.actions or counter in self.chip.free):
                    yield from self.actions.rows(phase.name, entity, counter, count)

    def _unpriced(self) -> dict[str, int]:
        """Return what the placement counted and the chip neither prices nor declares free."""
        total: Counter[str] = Counter()
        for phase in self.workload.phases if self.placement is not None else ():
            for (_, counter), count in self.placement.counts(phase.name, self.workload).items():
                if counter not in self.chip.actions and counter not in self.chip.free:
                    total[counter] += round(count)
        return {counter: count for counter, count in total.items() if count}

    def _phase_rows(
        self, phase: PhaseCounts, tick: Tick, sizes: dict[bool, Footprint], latency: dict[str, PhaseTime]
    ) -> Iterator[CostRow]:
        size = sizes[phase.learning]
        duration, latency[phase.name] = phase_time(phase, tick, self.actions, size.cores)
        if not self.chip.static and "static" in self.chip.parts:
            yield zero_row(phase.name, "static", "chip", phase.ticks, self.chip.parts["static"], "static")
        yield from static_rows(self.chip, self.book, phase.name, phase.ticks, size, duration)
        yield from self.phase_rows(phase)
        for kind in PARTS[1:]:
            if kind in self.chip.parts and not self._has_terms(kind):
                yield zero_row(phase.name, kind, "chip", 0, self.chip.parts[kind], kind)

    def _has_terms(self, kind: str) -> bool:
        return any(term.kind == kind for terms in self.chip.actions.values() for term in terms)

    def _size(self, learning: bool) -> Footprint:
        return footprint(self.workload, self.chip, learning=learning, placement=self.placement)

    def _phase_size(self, phase: PhaseCounts) -> PhaseSize:
        events = int(self.workload.total(phase.name, "synaptic_events"))
        return PhaseSize(int(phase.presentations), int(phase.ticks), events)

    def _weakest(self) -> str | None:
        grades = [used.constant.evidence for used in self.book.used.values()]
        return str(min(grades, key=lambda grade: grade.rank)) if grades else None

    def _variants(self) -> Iterator[tuple[str, Band]]:
        """Yield the total with the constants of each variant, where the chip declares all parts that a total needs."""
        if all(part in self.chip.parts for part in PARTS):
            for name in self.chip.variants:
                other = self.chip.at(variant=name)
                yield name, price(self.workload, other, self.given_tick_s, self.placement).energy()

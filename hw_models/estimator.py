"""The estimator: counts of a workload times the prices of a chip, plus static power times hardware time.

E = P_static t_hardware + sum over actions (count x price x overhead),   t_hardware = ticks x tick
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from hw_models.chips import Chip
from hw_models.chips.terms import Term
from hw_models.errors import UnpricedError
from hw_models.report import PARTS, Band, CostReport, CostRow, PhaseSize
from hw_models.technology import Constant
from hw_models.workload import PhaseCounts, ProjectionShape, Workload, base_counter, require_tick

BITS_PER_KB = 8 * 1024
DECLARED = "declared"
ZERO = "declared zero"
_KINDS_WITH_ROWS = ("dynamic", "periphery")


def price(workload: Workload, chip: Chip, tick_s: float | None = None) -> CostReport:
    """Price ``workload`` on ``chip``; a phase without presentations gives no rows.

    Parameters
    ----------
    workload : counted events and shapes.
    chip : from :func:`hw_models.load_chip`.
    tick_s : seconds of one tick on the hardware; without it the chip's own tick, else the workload's.

    Raises
    ------
    UnpricedError
        If a counted action has no price on this chip, or its constant is unstated or only recalled.
    """
    return _Pricing(workload, chip, tick_s).report()


def footprint_kb(workload: Workload, chip: Chip, *, learning: bool) -> float:
    """Return the kB (1024 bytes) that the network takes: weights with their copies and neuron state.

    While learning also the accumulators of plastic projections and the traces of the neurons at their ends.
    """
    bits, traced = 0, set()
    for projection in workload.projections:
        width = _weight_bits(chip, projection) * chip.copies(projection.bidirectional)
        if learning and projection.plastic:
            width += projection.accumulator_bits
            traced |= {projection.pre, projection.post}
        bits += projection.synapses * width
    for layer in workload.layers:
        bits += layer.neurons * (chip.state_bits * layer.stateful + chip.trace_bits * (layer.name in traced))
    return bits / BITS_PER_KB


def _weight_bits(chip: Chip, projection: ProjectionShape) -> int:
    return min(projection.weight_bits, chip.max_weight_bits or projection.weight_bits)


@dataclass
class _Pricing:
    """One pricing: the chip and the workload at hand, and the constants leaned on so far."""

    workload: Workload
    chip: Chip
    given_tick_s: float | None
    used: dict[str, Constant] = field(default_factory=dict)

    def report(self) -> CostReport:
        tick, tick_source = self._tick()
        phases = [phase for phase in self.workload.phases if phase.presentations]
        rows = tuple(row for phase in phases for row in self._phase_rows(phase, tick))
        chip = self.chip
        return CostReport(
            chip=chip.name,
            device=chip.device,
            node_nm=chip.node_nm,
            vdd=chip.vdd,
            tick_s=tick.value,
            tick_source=tick_source,
            workload=self.workload.name,
            phases={phase.name: self._size(phase) for phase in phases},
            rows=rows,
            parts=chip.parts,
            assumptions=tuple(self._assumptions(tick, tick_source)),
            warnings=tuple(self._warnings(rows)),
            not_modelled=chip.not_modelled,
            weakest_evidence=self._weakest(),
            constants={name: asdict(constant) for name, constant in self.used.items()},
        )

    def _weakest(self) -> str | None:
        grades = [constant.evidence for constant in self.used.values()]
        return str(min(grades, key=lambda grade: grade.rank)) if grades else None

    def _size(self, phase: PhaseCounts) -> PhaseSize:
        events = int(self.workload.total(phase.name, "synaptic_events"))
        return PhaseSize(int(phase.presentations), int(phase.ticks), events)

    def _tick(self) -> tuple[Band, str]:
        if self.given_tick_s is not None:
            require_tick(self.given_tick_s)
            return Band(self.given_tick_s, self.given_tick_s, self.given_tick_s), "given"
        if self.chip.tick is not None:
            return self._use(self.chip.tick).si, "chip"
        return Band(self.workload.tick_s, self.workload.tick_s, self.workload.tick_s), "workload"

    def _use(self, name: str, weight_bits: int | None = None) -> Constant:
        constant = self.chip.constant(name, weight_bits)
        by_width = getattr(self.chip.constants[name], "at", None) == "weight_bits"
        self.used[f"{name} ({weight_bits} bits)" if by_width else name] = constant
        return constant

    def _phase_rows(self, phase: PhaseCounts, tick: Band) -> Iterator[CostRow]:
        yield from self._static_rows(phase, tick)
        projections = {projection.name: projection for projection in self.workload.projections}
        for (entity, counter), count in phase.counts.items():
            if count:
                yield from self._action_rows(phase.name, entity, counter, int(count), projections.get(entity))
        for kind in _KINDS_WITH_ROWS:
            if kind in self.chip.parts and not self._has_terms(kind):
                yield _zero_row(phase.name, ZERO, kind, "chip", 0, self.chip.parts[kind], kind)

    def _has_terms(self, kind: str) -> bool:
        return any(term.kind == kind for terms in self.chip.actions.values() for term in terms)

    def _static_rows(self, phase: PhaseCounts, tick: Band) -> Iterator[CostRow]:
        if not self.chip.static and "static" in self.chip.parts:
            yield _zero_row(phase.name, ZERO, "static", "chip", phase.ticks, self.chip.parts["static"], "static")
        sizes = {
            "W": 1.0,
            "W/kB": footprint_kb(self.workload, self.chip, learning=phase.learning),
            "W/neuron": sum(layer.neurons for layer in self.workload.layers if layer.stateful),
        }
        for term in self.chip.static:
            power = self._use(term.price)
            energy = power.si * tick * (sizes[power.dimension] * phase.ticks)
            yield _row(phase.name, term.component, "static", "chip", phase.ticks, energy, power, "static")

    def _action_rows(
        self, phase: str, entity: str, counter: str, count: int, projection: ProjectionShape | None
    ) -> Iterator[CostRow]:
        for key in (counter, base_counter(counter)):
            if key in self.chip.free:
                yield _zero_row(phase, ZERO, counter, entity, count, self.chip.free[key], "dynamic")
                return
            if key in self.chip.actions:
                for term in self.chip.actions[key]:
                    yield from self._term_rows(phase, entity, counter, count, projection, term)
                return
        raise UnpricedError(
            f"{self.chip.name} has no price for {counter}, and {entity!r} counted {count}.",
            field=f"actions.{counter}",
            remedy="Add its terms to the chip file, or name it under free with the reason.",
        )

    def _term_rows(
        self, phase: str, entity: str, counter: str, count: int, projection: ProjectionShape | None, term: Term
    ) -> Iterator[CostRow]:
        factor = term.times * self._share(term, projection)
        if projection and term.per_copy:
            factor *= self.chip.copies(projection.bidirectional)
        if not factor:
            return
        constant = self._use(term.price, _weight_bits(self.chip, projection) if projection else None)
        energy = constant.si * (count * factor)
        if term.kind == "dynamic" and self.chip.overhead is not None:
            energy = energy * self._use(self.chip.overhead).si
        yield _row(phase, term.component, counter, entity, count, energy, constant, term.kind)

    def _share(self, term: Term, projection: ProjectionShape | None) -> float:
        """Return the bits that the action touches over the bits of a memory word, 1 where the term names no share."""
        if term.share is None:
            return 1.0
        bits = {"state": self.chip.state_bits, "trace": self.chip.trace_bits}
        if projection:
            bits |= {"weight": _weight_bits(self.chip, projection), "accumulator": projection.accumulator_bits}
        return bits[term.share] / self.chip.word_bits

    def _assumptions(self, tick: Band, tick_source: str) -> Iterator[str]:
        yield f"time on hardware is ticks x {tick.value:g} s, the tick set by the {tick_source}"
        yield from (f"{part}: {self.chip.parts[part]}" for part in PARTS if part in self.chip.parts)
        yield f"weights are read backwards by policy {self.chip.transposition.policy}: {self.chip.transposition.reason}"
        if any(self.chip.constant(term.price).dimension == "W/kB" for term in self.chip.static):
            inference, learning = (footprint_kb(self.workload, self.chip, learning=flag) for flag in (False, True))
            yield f"footprint {inference:.4g} kB for inference, {learning:.4g} kB for training"
        if self.chip.overhead is not None:
            overhead = self._use(self.chip.overhead)
            yield (
                f"dynamic terms are multiplied by {overhead.value:g} ({overhead.low:g} to {overhead.high:g}): "
                f"{overhead.includes}"
            )
        yield "low and high bounds are added as fully correlated"

    def _warnings(self, rows: tuple[CostRow, ...]) -> Iterator[str]:
        for projection in self.workload.projections:
            if (priced := _weight_bits(self.chip, projection)) < projection.weight_bits:
                yield (
                    f"{projection.name}: weights of {projection.weight_bits} bits are priced at {priced} bits; "
                    "the accuracy was not re-evaluated"
                )
        for kind in PARTS:
            if any(row.kind == kind and row.component == ZERO and row.entity == "chip" for row in rows):
                yield f"the {kind} part is declared zero: {self.chip.parts[kind]}"
        for name, constant in self.used.items():
            if constant.node_nm is not None and constant.node_nm != self.chip.node_nm:
                yield f"{name} is a {constant.node_nm:g} nm figure, used unscaled at {self.chip.node_nm:g} nm"
        total = sum(row.energy_j for row in rows)
        static = sum(row.energy_j for row in rows if row.kind == "static")
        if total and static > total / 2:
            yield f"static power makes {static / total:.0%} of the energy: the result hangs on the tick"


def _row(
    phase: str, component: str, action: str, entity: str, count: int, energy: Band, constant: Constant, kind: str
) -> CostRow:
    known = (constant.includes, str(constant.evidence), constant.source, kind)
    return CostRow(phase, component, action, entity, count, energy.value, energy.low, energy.high, *known)


def _zero_row(phase: str, component: str, action: str, entity: str, count: int, reason: str, kind: str) -> CostRow:
    return CostRow(phase, component, action, entity, count, 0.0, 0.0, 0.0, reason, DECLARED, "chip file", kind)

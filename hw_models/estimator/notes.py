"""What a reader must know before quoting a number: assumptions made, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hw_models.chips import Chip
from hw_models.chips.terms import TableReference
from hw_models.estimator.book import ZERO, Book
from hw_models.estimator.footprint import Footprint, weight_bits
from hw_models.estimator.latency import Tick
from hw_models.report import PARTS, CostRow, PhaseTime
from hw_models.workload import Workload


def assumptions(
    chip: Chip, book: Book, tick: Tick, sizes: dict[bool, Footprint], kilobytes: dict[str, float]
) -> Iterator[str]:
    """Yield what the price rests on."""
    yield f"time on hardware is ticks x {tick.band.value:g} s, the tick set by the {tick.source}"
    yield from (f"{part}: {chip.parts[part]}" for part in PARTS if part in chip.parts)
    yield f"weights are read backwards by policy {chip.transposition.policy}: {chip.transposition.reason}"
    if any(chip.constant(term.price).dimension == "W/kB" for term in chip.static):
        inference, training = kilobytes["inference_kb"], kilobytes["training_kb"]
        yield f"footprint {inference:.4g} kB for inference, {training:.4g} kB for training"
    if sizes[True].chips > 1 or any(chip.constant(term.price).dimension == "W/core" for term in chip.static):
        yield f"{sizes[True].cores} cores on {sizes[True].chips} chips"
    if any(term.time is not None for terms in chip.actions.values() for term in terms):
        yield f"work is spread evenly over {sizes[True].cores} cores"
    if chip.clock is not None:
        yield f"the clock runs at {book.use(chip.clock).si.value:g} Hz"
    if chip.overhead is not None:
        overhead = book.use(chip.overhead).constant
        yield (
            f"dynamic terms are multiplied by {overhead.value:g} ({overhead.low:g} to {overhead.high:g}): "
            f"{overhead.includes}"
        )
    yield "low and high bounds are added as fully correlated"


def warnings(
    workload: Workload,
    chip: Chip,
    book: Book,
    tick: Tick,
    rows: tuple[CostRow, ...],
    latency: dict[str, PhaseTime],
    routed: bool,
    unpriced: Mapping[str, int],
) -> Iterator[str]:
    """Yield what may mislead; ``unpriced``: packets, hops and crossings that a placement counted in vain."""
    yield from _widths(workload, chip)
    yield from chip.knobs.warnings(built=bool(chip.nodes))
    yield from _idle(chip, tick)
    if routed:
        routing = chip.routing
        packets, hops = (routing.packets, routing.hops) if routing else (1, 1)
        each = hops if isinstance(hops, str) else f"{hops:g}"
        yield f"without a placement, routing was taken as {packets:g} packets and {each} hops per spike"
    for counter, count in unpriced.items():
        yield f"{count:,} {counter.replace('_', ' ')} have no price on this chip and are left out"
    for kind in PARTS:
        if any(row.kind == kind and row.component == ZERO and row.entity == "chip" for row in rows):
            yield f"the {kind} part is declared zero: {chip.parts[kind]}"
    for name, used in book.used.items():
        if used.constant.node_nm is not None and used.constant.node_nm != chip.node_nm:
            yield f"{name} is a {used.constant.node_nm:g} nm figure, used unscaled at {chip.node_nm:g} nm"
    for phase, time in latency.items():
        if time.bound_by != "tick":
            yield f"{phase}: the cores are busy longer than the ticks last ({time.bound_by}), so time is their work"
    total = sum(row.energy_j for row in rows)
    static = sum(row.energy_j for row in rows if row.kind == "static")
    if total and static > total / 2:
        yield f"static power makes {static / total:.0%} of the energy: the result hangs on the tick"


def _idle(chip: Chip, tick: Tick) -> Iterator[str]:
    """Yield the knobs that were turned and move no energy of this chip."""
    terms = [term for terms in chip.actions.values() for term in terms]
    constants = [chip.constants[term.price] for term in (*terms, *chip.static)]
    if chip.knobs.weight_bits is not None and not (
        any(term.share == "weight" for term in terms)
        or any(isinstance(one, TableReference) and one.at == "weight_bits" for one in constants)
        or any(chip.constant(term.price).dimension == "W/kB" for term in chip.static)
    ):
        yield "no published energy of this chip depends on the width of its weights: memory follows it, energy does not"
    if tick.source == "given" and not chip.static:
        yield "no power of this chip is priced apart: time follows the tick, energy does not"
    if chip.knobs.overhead is not None and not any(term.kind == "dynamic" for term in terms):
        yield "no dynamic energy of this chip is priced: the factor that was given moves nothing"


def _widths(workload: Workload, chip: Chip) -> Iterator[str]:
    """Yield projections whose weights are priced at fewer or more bits than they were run with."""
    changed: dict[tuple[int, int], list[str]] = {}
    for projection in workload.projections:
        if (priced := weight_bits(chip, projection)) != projection.weight_bits:
            changed.setdefault((projection.weight_bits, priced), []).append(projection.name)
    for (had, priced), names in changed.items():
        named = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield f"{named}: weights of {had} bits are priced at {priced} bits; the accuracy was not re-evaluated"

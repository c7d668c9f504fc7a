"""Rows of static power and of the clock: power x size x time on the hardware."""

from __future__ import annotations

from collections.abc import Iterator

from hw_models.chips import Chip
from hw_models.chips.terms import AreaTerm
from hw_models.estimator.book import Book, Place, Product, Used, row
from hw_models.estimator.footprint import Footprint
from hw_models.estimator.latency import Duration
from hw_models.report import Band, CostRow

M2_TO_MM2 = 1e6


def static_rows(
    chip: Chip, book: Book, phase: str, ticks: int, size: Footprint, duration: Duration
) -> Iterator[CostRow]:
    """Yield the static energy of one phase, one row per term of power, part of memory and part of the time."""
    for term in chip.static:
        power = book.use(term.price)
        for amount, factors in _amounts(chip, book, power.constant.dimension, size):
            for seconds, times in duration.terms:
                place = Place(phase, term.component, "static", "chip", "static")
                yield row(place, ticks, amount * seconds, Product.of(power, *factors, *times))


def _amounts(chip: Chip, book: Book, dimension: str, size: Footprint) -> Iterator[tuple[float, tuple[Used, ...]]]:
    """Yield how often a price per kB, neuron, core, synapse, hertz or chip is paid, with the constants in it."""
    if dimension.endswith("/kB"):
        yield size.kb - size.cell_kb, ()
        if size.cell_kb:
            yield size.cell_kb, (book.use("transposable_cell"),)
    elif dimension.endswith("/Hz"):
        yield float(size.chips), (book.use(chip.clock),)
    else:
        per = {"neuron": size.neurons, "core": size.cores, "synapse": size.synapses}
        yield float(per.get(dimension.partition("/")[2], size.chips)), ()


def area_mm2(chip: Chip, book: Book, size: Footprint) -> Band | None:
    """Return the silicon area in mm2, None where the chip file gives none."""
    if not chip.area:
        return None
    return sum((_area(chip, book, term, size) for term in chip.area), Band())


def _area(chip: Chip, book: Book, term: AreaTerm, size: Footprint) -> Band:
    each, total = book.use(term.price), Band()
    for amount, factors in _amounts(chip, book, each.constant.dimension, size):
        part = each.si * (amount * M2_TO_MM2)
        for factor in factors:
            part = part * factor.si
        total = total + part
    return total

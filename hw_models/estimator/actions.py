"""Rows of counted actions: count x times x share of a word x price (x copies, x overhead)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hw_models.chips import Chip
from hw_models.chips.terms import Routing, Term
from hw_models.errors import UnpricedError
from hw_models.estimator.book import Book, Place, Product, row, zero_row
from hw_models.estimator.footprint import in_cells, weight_bits
from hw_models.report import CostRow
from hw_models.workload import LEARNING_COUNTERS, ProjectionShape, base_counter


@dataclass(frozen=True)
class Share:
    """What one count of an action costs by one term: coefficient x product of constants."""

    term: Term
    coefficient: float
    product: Product


@dataclass
class Actions:
    """The prices of a chip's actions, each put together once; ``shapes`` has the projections of the workload."""

    chip: Chip
    book: Book
    shapes: Mapping[str, ProjectionShape]
    known: dict[tuple, tuple[Share, ...] | str] = field(default_factory=dict)

    def rows(self, phase: str, entity: str, counter: str, count: int) -> Iterator[CostRow]:
        """Yield the rows of ``count`` actions of ``entity``.

        Raises
        ------
        UnpricedError
            If the chip neither prices the action nor declares it free.
        """
        shares = self.shares(counter, self.shapes.get(entity), entity, count)
        if isinstance(shares, str):
            yield zero_row(phase, counter, entity, count, shares, "dynamic")
            return
        for share in shares:
            place = Place(phase, share.term.component, counter, entity, share.term.kind)
            yield row(place, count, count * share.coefficient, share.product)

    def routed(self, phase: str, entity: str, spikes: int) -> Iterator[CostRow]:
        """Yield the rows of the packets and hops that ``spikes`` make by the chip's routing, without a placement."""
        routing = self.chip.routing or Routing()
        hops = self.book.use(routing.hops) if isinstance(routing.hops, str) else None
        for counter, each in (("packets", routing.packets), ("hops", 1.0 if hops else routing.hops)):
            if counter not in self.chip.actions or not each:
                continue
            for share in self.shares(counter, None, entity, spikes):
                place = Place(phase, share.term.component, counter, entity, share.term.kind)
                product = Product.of(*share.product.factors, hops) if hops and counter == "hops" else share.product
                yield row(place, round(spikes * each), spikes * each * share.coefficient, product)

    def shares(self, counter: str, shape: ProjectionShape | None, entity: str, count: int) -> tuple[Share, ...] | str:
        """Return what one such action costs, term by term, or why it is free."""
        size = (shape.weight_bits, shape.bidirectional, shape.accumulator_bits) if shape else None
        key = (counter, size)
        if key not in self.known:
            self.known[key] = self._look_up(counter, shape, entity, count)
        return self.known[key]

    def terms(self, counter: str) -> tuple[Term, ...]:
        """Return the terms of ``counter``, or of its base where the direction has none of its own; () if free."""
        for key in (counter, base_counter(counter)):
            if key in self.chip.actions:
                return self.chip.actions[key]
        return ()

    def _look_up(self, counter: str, shape: ProjectionShape | None, entity: str, count: int) -> tuple[Share, ...] | str:
        for key in (counter, base_counter(counter)):
            if key in self.chip.free:
                return self.chip.free[key]
            if key in self.chip.actions:
                shares = (self._share(counter, term, shape) for term in self.chip.actions[key])
                return tuple(share for share in shares if share is not None)
        why = self.chip.no_learning if base_counter(counter) in LEARNING_COUNTERS else None
        raise UnpricedError(
            f"{self.chip.name} has no price for {counter}, and {entity!r} counted {count}{f': {why}' if why else ''}.",
            field=f"actions.{counter}",
            remedy="Price inference alone (eqspike energy --phase inference), or choose a chip that learns."
            if why
            else "Add its terms to the chip file, or name it under free with the reason.",
        )

    def _share(self, counter: str, term: Term, shape: ProjectionShape | None) -> Share | None:
        coefficient = term.times * self._word_share(counter, term, shape)
        width = weight_bits(self.chip, shape) if shape else None
        if shape and term.per_copy:
            coefficient *= self.chip.copies(shape.bidirectional)
        if not coefficient:
            return None
        factors = [self.book.use(term.price, width)]
        if term.share == "weight" and in_cells(self.chip, shape.bidirectional):
            factors.append(self.book.use("transposable_cell"))
        if term.kind == "dynamic" and self.chip.overhead is not None:
            factors.append(self.book.use(self.chip.overhead))
        return Share(term, coefficient, Product.of(*factors))

    def _word_share(self, counter: str, term: Term, shape: ProjectionShape | None) -> float:
        """Return the bits that the action touches over the bits of a memory word, 1 where the term names no share."""
        if term.share is None:
            return 1.0
        bits = {"state": self.chip.state_bits, "trace": self.chip.trace_bits}
        if shape:
            if term.share == "weight" and self._walks(counter, shape):
                return 1.0
            bits |= {"weight": weight_bits(self.chip, shape), "accumulator": shape.accumulator_bits}
        return bits[term.share] / self.chip.word_bits

    def _walks(self, counter: str, shape: ProjectionShape) -> bool:
        """Return whether a lone weight is read across the rows, so that its whole word opens."""
        return self.chip.transposition.policy == "column_walk" and shape.bidirectional and counter.endswith("_backward")

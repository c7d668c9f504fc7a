"""The schema of a chip file: a priced action for every counted event, static power, limits and what is not modelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, InstanceOf, model_validator

from hw_models.chips.checks import check
from hw_models.chips.entry import Entry
from hw_models.chips.knobs import Knobs, adjusted
from hw_models.chips.limits import Limits
from hw_models.chips.operating import OperatingPoint, Variant
from hw_models.chips.terms import AreaTerm, Endurance, Routing, StaticTerm, TableReference, Term, Transposition
from hw_models.chips.widths import cover
from hw_models.technology import Constant

CHIP_SCHEMA = 1
Entries = dict[str, InstanceOf[Constant] | InstanceOf[TableReference]]
_CAUTIOUS = Transposition(policy="duplicate", reason="not stated: a second copy is the cautious assumption")


class Chip(Entry):
    """A chip: operating point, constants, limits, and the price of every counted action.

    Parameters
    ----------
    unpriced : why no price is published; such a chip has limits only, and pricing is refused.
    no_learning : why no learning on the chip is priced; counted learning is refused with it.
    nodes, flavour : nodes at which a chip built from components exists, and its transistors.
    tick : name of the constant that holds the chip's own tick; without it the workload's tick is used.
    clock : name of the constant in Hz by which static terms in W/Hz are multiplied.
    max_weight_bits : widest weight the chip stores; wider ones are priced at this width, with a warning.
    word_bits, state_bits, trace_bits : bits of a memory word, of a neuron's state, of its plasticity traces.
    parts : what the static, the dynamic and the periphery part stand for; all three are needed for a total.
    overhead : name of a constant of unit 1 that multiplies every dynamic term.
    constants : published numbers by name; see :class:`hw_models.technology.Constant`.
    actions : terms by counter; ``synaptic_events`` and ``macs`` serve both directions unless one is given apart.
    free : counters that cost nothing, each with the reason.
    routing : packets and hops of a spike where no placement counts them.
    components : parts built by :mod:`hw_models.components`, which add constants, terms and area.
    variants, operating_points, limits, area, endurance : see their classes.
    knobs, base, rebuild : set by :meth:`at` and by the loader, never by a file.
    """

    schema_version: Literal[1] = Field(CHIP_SCHEMA, alias="schema")
    name: str
    title: str
    description: str
    device: str
    node_nm: Annotated[float, Field(gt=0)]
    vdd: Annotated[float, Field(gt=0)] | None = None
    unpriced: str | None = None
    no_learning: str | None = None
    nodes: tuple[Annotated[float, Field(gt=0)], ...] = ()
    flavour: Literal["itrs-hp", "itrs-lop", "itrs-lstp"] | None = None
    tick: str | None = None
    clock: str | None = None
    max_weight_bits: Annotated[int, Field(gt=0)] | None = None
    word_bits: Annotated[int, Field(gt=0)] = 64
    state_bits: Annotated[int, Field(ge=0)] = 32
    trace_bits: Annotated[int, Field(ge=0)] = 32
    parts: dict[str, str] = Field(default_factory=dict)
    transposition: Transposition = _CAUTIOUS
    overhead: str | None = None
    constants: Entries = Field(default_factory=dict)
    static: tuple[StaticTerm, ...] = ()
    actions: dict[str, tuple[Term, ...]] = Field(default_factory=dict)
    free: dict[str, str] = Field(default_factory=dict)
    routing: Routing | None = None
    area: tuple[AreaTerm, ...] = ()
    endurance: Endurance | None = None
    limits: Limits = Limits()
    operating_points: tuple[OperatingPoint, ...] = ()
    variants: dict[str, Variant] = Field(default_factory=dict)
    components: dict[str, dict[str, Any]] = Field(default_factory=dict)
    not_modelled: tuple[str, ...] = ()
    knobs: InstanceOf[Knobs] = Knobs()
    base: InstanceOf[Entry] | None = None
    rebuild: Callable[[float], Any] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Chip:
        check(self)
        return self

    def at(
        self,
        *,
        node_nm: float | None = None,
        vdd: float | None = None,
        weight_bits: int | None = None,
        tick_s: float | None = None,
        transposition: str | None = None,
        overhead: float | None = None,
        clock_hz: float | None = None,
        variant: str | None = None,
    ) -> Chip:
        """Return the chip with some knobs turned; those not named stay as they are.

        Parameters
        ----------
        node_nm : technology node; constants follow their ``scaling``, or the chip is built anew where it has ``nodes``.
        vdd : supply in volts at that node: dynamic energy goes with its square, down to 0.6 V.
        weight_bits : stored width of every weight; the accuracy is not re-evaluated.
        tick_s : seconds of one tick on the hardware.
        transposition : policy for backward reads, among those that the chip allows.
        overhead : factor of every dynamic term.
        clock_hz : clock of static terms in W/Hz and of busy times in cycles.
        variant : name of one of the chip's variants, whose constants then replace the default ones.

        Raises
        ------
        KnobError
            If the chip cannot be had so.
        """
        asked = Knobs(node_nm, vdd, weight_bits, tick_s, transposition, overhead, clock_hz, variant)
        origin = self.base or self
        return adjusted(origin, self.knobs | asked)

    def constant(self, name: str, weight_bits: int | None = None) -> Constant:
        """Return the constant called ``name``, its band covering the chip's variants; weak evidence is refused.

        Raises
        ------
        UnpricedError
            If the constant is unstated or only recalled.
        """
        constant = self._resolved(self.constants[name], weight_bits)
        constant.require_priceable(f"{self.name}: constants.{name}")
        others = [self._resolved(v.constants[name], weight_bits) for v in self.variants.values() if name in v.constants]
        return cover(constant, others) if others else constant

    def copies(self, bidirectional: bool) -> int:
        """Return how often a weight is stored."""
        return 2 if bidirectional and self.transposition.policy == "duplicate" else 1

    def room(self, bidirectional: bool) -> float:
        """Return the plain memory that a stored weight takes, in times its bits: its copies, or a larger cell."""
        if bidirectional and self.transposition.policy == "transposable":
            return self.constant("transposable_cell").value
        return float(self.copies(bidirectional))

    @staticmethod
    def _resolved(entry: Constant | TableReference, weight_bits: int | None) -> Constant:
        return entry.resolve(weight_bits) if isinstance(entry, TableReference) else entry

"""Terms: how counted actions, static power and area are put together from the constants of a chip."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, InstanceOf, model_validator

from hw_models.chips.entry import Entry
from hw_models.errors import ChipError
from hw_models.technology import Constant, Move, load_table

Policy = Literal["duplicate", "transposable", "column_walk", "crossbar"]


class TableReference(Entry):
    """A constant taken from a shipped table; ``at`` picks a point of a curve, ``weight_bits`` that of the workload.

    ``moves`` to another node or supply are set by a chip's knobs, never by a file.
    """

    table: str
    row: str
    at: float | Literal["weight_bits"] | None = None
    moves: tuple[InstanceOf[Move], ...] = ()

    def resolve(self, weight_bits: int | None) -> Constant:
        """Return the constant, read at ``weight_bits`` where the reference says so, after its moves."""
        constant = load_table(self.table).constant(self.row, weight_bits if self.at == "weight_bits" else self.at)
        for move in self.moves:
            constant = move(constant)
        return constant


class Term(Entry):
    """One part of the price of an action: ``times`` x price x share of a memory word (x stored copies of a weight).

    ``time`` names the constant that says how long it keeps a core busy each time (and for each copy): seconds, or
    (unit 1) clock cycles.
    """

    component: str
    price: str
    times: Annotated[float, Field(gt=0)] = 1.0
    share: Literal["weight", "accumulator", "state", "trace"] | None = None
    per_copy: bool = False
    kind: Literal["dynamic", "periphery"] = "dynamic"
    time: str | None = None


class StaticTerm(Entry):
    """Power drawn for as long as the chip is on: whole, or per kB of the network, stateful neuron, core or hertz."""

    component: str
    price: str


class AreaTerm(Entry):
    """Silicon area: whole, or per kB of the network's footprint, neuron, core in use or stored synapse."""

    component: str
    price: str


class Routing(Entry):
    """Packets and hops of one spike, taken where no placement counts them; ``hops`` may name a constant of unit 1."""

    packets: Annotated[float, Field(ge=0)] = 1.0
    hops: Annotated[float, Field(ge=0)] | str = 1.0


class Endurance(Entry):
    """What a memory device survives: ``writes`` names a constant of unit 1."""

    writes: str


class Transposition(Entry):
    """How the backward direction reads the weights of a bidirectional projection.

    ``duplicate``: a transposed copy, so twice the memory and two writes an update. ``transposable``: one copy in a
    larger cell with ports along rows and columns (constant ``transposable_cell``, unit 1: times memory, area and
    energy of an access). ``column_walk``: one copy, a backward read of a weight opens its whole memory word.
    ``crossbar``: the array conducts both ways, so one copy serves both directions.
    """

    policy: Policy
    reason: str
    allowed: tuple[Policy, ...] = ()

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Transposition:
        if self.allowed and self.policy not in self.allowed:
            raise ChipError(
                f"the policy {self.policy!r} is not among those allowed.",
                field="transposition.allowed",
                remedy="Add it to allowed, or choose another policy.",
            )
        return self

    @property
    def choices(self) -> tuple[str, ...]:
        """The policies that the chip can be built with."""
        return self.allowed or (self.policy,)

"""The schema of a chip file: a priced action for every counted event, static power, and what is not modelled."""

from __future__ import annotations

from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hw_models.errors import ChipError
from hw_models.report import PARTS
from hw_models.technology import Constant, load_table
from hw_models.workload import COUNTERS, LAYER_COUNTERS, base_counter

CHIP_SCHEMA = 1
ACTIONS = tuple(dict.fromkeys((*COUNTERS, *map(base_counter, COUNTERS))))


class _Entry(BaseModel):
    """Frozen, and strict about keys: a misspelt key is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class TableReference(_Entry):
    """A constant taken from a shipped table; ``at`` picks a point of a curve, ``weight_bits`` that of the workload."""

    table: str
    row: str
    at: float | Literal["weight_bits"] | None = None

    def resolve(self, weight_bits: int | None) -> Constant:
        """Return the constant, read at ``weight_bits`` where the reference says so."""
        return load_table(self.table).constant(self.row, weight_bits if self.at == "weight_bits" else self.at)


class Term(_Entry):
    """One part of the price of an action: ``times`` x price x share of a memory word (x stored copies of a weight)."""

    component: str
    price: str
    times: Annotated[float, Field(gt=0)] = 1.0
    share: Literal["weight", "accumulator", "state", "trace"] | None = None
    per_copy: bool = False
    kind: Literal["dynamic", "periphery"] = "dynamic"


class StaticTerm(_Entry):
    """Power drawn for as long as the chip is on: per kB of the network's footprint, per stateful neuron, or whole."""

    component: str
    price: str


class Transposition(_Entry):
    """How the backward direction reads the weights of a bidirectional projection.

    ``duplicate``: a transposed copy, so twice the memory and two writes an update. ``crossbar``: the array conducts
    both ways, so one copy serves both directions.
    """

    policy: Literal["duplicate", "crossbar"]
    reason: str


class Chip(_Entry):
    """A chip: operating point, constants, and the price of every counted action.

    Parameters
    ----------
    tick : name of the constant that holds the chip's own tick; without it the workload's tick is used.
    max_weight_bits : widest weight the chip stores; wider ones are priced at this width, with a warning.
    word_bits, state_bits, trace_bits : bits of a memory word, of a neuron's state, of its plasticity traces.
    parts : what the static, the dynamic and the periphery part stand for; all three are needed for a total.
    overhead : name of a constant of unit 1 that multiplies every dynamic term.
    actions : terms by counter; ``synaptic_events`` and ``macs`` serve both directions unless one is given apart.
    free : counters that cost nothing, each with the reason.
    """

    schema_version: Literal[1] = Field(CHIP_SCHEMA, alias="schema")
    name: str
    title: str
    description: str
    device: str
    node_nm: Annotated[float, Field(gt=0)]
    vdd: Annotated[float, Field(gt=0)] | None = None
    tick: str | None = None
    max_weight_bits: Annotated[int, Field(gt=0)] | None = None
    word_bits: Annotated[int, Field(gt=0)] = 64
    state_bits: Annotated[int, Field(ge=0)] = 32
    trace_bits: Annotated[int, Field(ge=0)] = 32
    parts: dict[str, str]
    transposition: Transposition
    overhead: str | None = None
    constants: dict[str, Constant | TableReference]
    static: tuple[StaticTerm, ...] = ()
    actions: dict[str, tuple[Term, ...]]
    free: dict[str, str] = {}
    not_modelled: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Chip:
        for key, given, known in (
            ("parts", self.parts, PARTS),
            ("actions", self.actions, ACTIONS),
            ("free", self.free, ACTIONS),
        ):
            for name in given:
                if name not in known:
                    self._refuse(f"{key}.{name}", "the name is unknown.", f"Known: {', '.join(known)}.")
        for counter, terms in self.actions.items():
            if counter in self.free or not terms:
                self._refuse(
                    f"actions.{counter}", "an action has terms or stands under free, not both and not neither."
                )
            for number, term in enumerate(terms):
                self._check_term(counter, f"actions.{counter}.{number}", term)
        for number, term in enumerate(self.static):
            self._check_price(f"static.{number}.price", term.price, ("W", "W/kB", "W/neuron"))
        for key, name, dimension in (("tick", self.tick, "s"), ("overhead", self.overhead, "1")):
            if name is not None:
                self._check_price(key, name, (dimension,))
        return self

    def constant(self, name: str, weight_bits: int | None = None) -> Constant:
        """Return the constant called ``name``, refusing to price with weak evidence.

        Raises
        ------
        UnpricedError
            If the constant is unstated or only recalled.
        """
        entry = self.constants[name]
        constant = entry.resolve(weight_bits) if isinstance(entry, TableReference) else entry
        constant.require_priceable(f"{self.name}: constants.{name}")
        return constant

    def copies(self, bidirectional: bool) -> int:
        """Return how often a weight is stored."""
        return 2 if bidirectional and self.transposition.policy == "duplicate" else 1

    def _check_term(self, counter: str, where: str, term: Term) -> None:
        synaptic = counter not in LAYER_COUNTERS
        if not synaptic and (term.share in ("weight", "accumulator") or term.per_copy):
            self._refuse(where, "a neuron's action has no share in a synapse.", "Use share state or trace.")
        self._check_price(f"{where}.price", term.price, ("J",), synaptic=synaptic)

    def _check_price(self, where: str, name: str, dimensions: tuple[str, ...], *, synaptic: bool = False) -> None:
        if name not in self.constants:
            self._refuse(where, f"no constant is called {name!r}.", f"Constants: {', '.join(self.constants)}.")
        entry = self.constants[name]
        if isinstance(entry, TableReference):
            if entry.at == "weight_bits" and not synaptic:
                self._refuse(where, f"constant {name!r} depends on a weight's bits, and no weight is at hand here.")
            entry = entry.resolve(weight_bits=1)
        if entry.dimension not in dimensions:
            self._refuse(where, f"constant {name!r} has the unit {entry.unit}.", f"Needed: {' or '.join(dimensions)}.")

    def _refuse(self, where: str, problem: str, remedy: str = "Mend the chip file.") -> NoReturn:
        raise ChipError(problem, field=f"{self.name}: {where}", remedy=remedy)

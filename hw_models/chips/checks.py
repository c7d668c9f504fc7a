"""Whether a chip's tables agree with each other: names, units, shares, and nothing priced twice or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from hw_models.chips.operating import QUANTITIES
from hw_models.chips.terms import TableReference, Term
from hw_models.errors import ChipError, ConstantError
from hw_models.report import PARTS
from hw_models.technology.units import split_unit
from hw_models.workload import COUNTERS, LAYER_COUNTERS, ROUTING_COUNTERS, base_counter

ACTIONS = tuple(dict.fromkeys((*COUNTERS, *map(base_counter, COUNTERS), *ROUTING_COUNTERS)))
_NEURAL = (*LAYER_COUNTERS, *ROUTING_COUNTERS)
STATIC_UNITS = ("W", "W/kB", "W/neuron", "W/core", "W/Hz")
AREA_UNITS = ("m2", "m2/kB", "m2/neuron", "m2/core", "m2/synapse")


def check(chip) -> None:
    """Refuse a chip whose parts do not fit together.

    Raises
    ------
    ChipError
        With the key at fault and a remedy.
    """
    _check_names(chip)
    _check_complete(chip)
    for counter, terms in chip.actions.items():
        if counter in chip.free or not terms:
            _refuse(f"actions.{counter}", "an action has terms or stands under free, not both and not neither.")
        for number, term in enumerate(terms):
            _check_term(chip, counter, f"actions.{counter}.{number}", term)
    for where, name, dimensions in _references(chip):
        _check_price(chip, where, name, dimensions)
    _check_clock(chip)
    _check_variants(chip)
    for number, point in enumerate(chip.operating_points):
        _check_point(chip, f"operating_points.{number}", point)


def _check_names(chip) -> None:
    for key, given, known in (
        ("parts", chip.parts, PARTS),
        ("actions", chip.actions, ACTIONS),
        ("free", chip.free, ACTIONS),
    ):
        for name in given:
            if name not in known:
                _refuse(f"{key}.{name}", "the name is unknown.", f"Known: {', '.join(known)}.")


def _check_complete(chip) -> None:
    if chip.unpriced is None:
        for key in ("constants", "actions", "not_modelled", "transposition"):
            if key not in chip.model_fields_set:
                _refuse(key, "the key is missing.", "Add the key, or say in unpriced why the chip has no prices.")
    elif chip.actions or chip.static:
        _refuse("unpriced", "the chip has prices too.", "Remove unpriced, or actions and static.")


def _references(chip) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (key, name of a constant, allowed dimensions) of everything outside actions."""
    yield from ((f"static.{i}.price", term.price, STATIC_UNITS) for i, term in enumerate(chip.static))
    yield from ((f"area.{i}.price", term.price, AREA_UNITS) for i, term in enumerate(chip.area))
    hops = chip.routing.hops if chip.routing else None
    named = (
        ("tick", chip.tick, "s"),
        ("overhead", chip.overhead, "1"),
        ("clock", chip.clock, "Hz"),
        ("endurance.writes", chip.endurance.writes if chip.endurance else None, "1"),
        ("routing.hops", hops if isinstance(hops, str) else None, "1"),
    )
    yield from ((key, name, (dimension,)) for key, name, dimension in named if name is not None)
    if "transposable" in chip.transposition.choices:
        yield "transposition.allowed", "transposable_cell", ("1",)


def _check_term(chip, counter: str, where: str, term: Term) -> None:
    synaptic = counter not in _NEURAL
    if not synaptic and (term.share in ("weight", "accumulator") or term.per_copy):
        _refuse(where, "a neuron's action has no share in a synapse.", "Use share state or trace.")
    _check_price(chip, f"{where}.price", term.price, ("J",), synaptic=synaptic)
    if term.time is not None and counter in ROUTING_COUNTERS:
        _refuse(f"{where}.time", "the time of routing is not modelled, only its energy.", "Remove time.")
    if term.time is not None:
        _check_price(chip, f"{where}.time", term.time, ("s", "1") if chip.clock else ("s",))


def _check_price(chip, where: str, name: str, dimensions: tuple[str, ...], *, synaptic: bool = False) -> None:
    if name not in chip.constants:
        _refuse(where, f"no constant is called {name!r}.", f"Constants: {', '.join(chip.constants) or 'none'}.")
    entry = chip.constants[name]
    if isinstance(entry, TableReference):
        if entry.at == "weight_bits" and not synaptic:
            _refuse(where, f"constant {name!r} depends on a weight's bits, and no weight is at hand here.")
        entry = entry.resolve(weight_bits=1)
    if entry.dimension not in dimensions:
        _refuse(where, f"constant {name!r} has the unit {entry.unit}.", f"Needed: {' or '.join(dimensions)}.")


def _check_clock(chip) -> None:
    for number, term in enumerate(chip.static):
        if chip.constants[term.price].dimension == "W/Hz" and chip.clock is None:
            _refuse(f"static.{number}", "power per hertz needs a clock.", "Name a constant in Hz by clock = ...")


def _check_variants(chip) -> None:
    for variant, entry in chip.variants.items():
        for name, constant in entry.constants.items():
            where = f"variants.{variant}.constants.{name}"
            if name not in chip.constants:
                _refuse(where, "the chip has no constant of this name.", f"Constants: {', '.join(chip.constants)}.")
            dimensions = [
                (one.resolve(1) if isinstance(one, TableReference) else one).dimension
                for one in (constant, chip.constants[name])
            ]
            if dimensions[0] != dimensions[1]:
                _refuse(where, f"the unit is one of {dimensions[0]}.", f"Needed: {dimensions[1]}.")


def _check_point(chip, where: str, point) -> None:
    if _dimension(point.unit) != QUANTITIES[point.quantity]:
        _refuse(
            f"{where}.unit",
            f"{point.unit!r} is not a unit of {point.quantity}.",
            f"Give {QUANTITIES[point.quantity]} with an SI prefix.",
        )
    if point.node_nm is not None and chip.nodes and point.node_nm not in chip.nodes:
        nodes = ", ".join(f"{node:g}" for node in chip.nodes)
        _refuse(f"{where}.node_nm", f"the chip is not known at {point.node_nm:g} nm.", f"Nodes: {nodes}.")
    if point.variant is not None and point.variant not in chip.variants:
        _refuse(f"{where}.variant", f"no variant is called {point.variant!r}.", "Name one of variants.")
    if point.quantity == "energy_per_event_j" and not point.rates.get("synaptic_events"):
        _refuse(f"{where}.rates", "an energy per event needs events.", "Add rates.synaptic_events.")
    if point.clock_hz is not None and chip.clock is None:
        _refuse(f"{where}.clock_hz", "the chip has no clock.", "Name a constant in Hz by clock = ...")
    for counter in point.rates:
        if not any(base_counter(key) == counter for key in (*chip.actions, *chip.free)):
            _refuse(
                f"{where}.rates.{counter}", "the chip has no price for it.", "Add its terms, or name it under free."
            )


def _dimension(unit: str) -> str | None:
    try:
        return split_unit(unit)[0]
    except ConstantError:
        return None


def _refuse(where: str, problem: str, remedy: str = "Mend the chip file.") -> NoReturn:
    raise ChipError(problem, field=where, remedy=remedy)

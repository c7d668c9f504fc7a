"""What-if: a chip at another node, supply, width, tick, policy, overhead, clock or variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, NoReturn

from hw_models.chips.terms import TableReference
from hw_models.errors import KnobError
from hw_models.technology import Constant, Evidence, Move, plan

GIVEN = "given"
_NUMBERS = ("node_nm", "vdd", "tick_s", "overhead", "clock_hz")


@dataclass(frozen=True)
class Knobs:
    """What was asked of a chip, None where it stays as its file says."""

    node_nm: float | None = None
    vdd: float | None = None
    weight_bits: int | None = None
    tick_s: float | None = None
    transposition: str | None = None
    overhead: float | None = None
    clock_hz: float | None = None
    variant: str | None = None

    def __or__(self, other: Knobs) -> Knobs:
        """Return these knobs with those that ``other`` turns."""
        return replace(self, **{key: value for key, value in asdict(other).items() if value is not None})

    def warnings(self, *, built: bool) -> Iterator[str]:
        """Yield what a reader of a price must know of the knobs; one ``built`` at every node needs no word on it."""
        said = {
            "node_nm": "the chip is moved to {} nm: constants that do not scale with it stay, and so does timing",
            "vdd": "the supply is moved to {} V: dynamic energy by its square, leakage by its first to third power; "
            "speed and memory retention were not examined",
            "overhead": "the factor of dynamic terms is given as {}, not published",
            "clock_hz": "the clock is given as {} Hz, not published",
            "variant": "the constants are those of the variant {}",
        }
        for key, sentence in said.items():
            if (value := getattr(self, key)) is not None and not (built and key == "node_nm"):
                yield sentence.format(value if isinstance(value, str) else f"{value:g}")


def adjusted(origin, knobs: Knobs):
    """Return the chip ``origin`` with ``knobs`` turned; it remembers ``origin``, so that knobs can be turned again.

    Raises
    ------
    KnobError
        If the chip cannot be had so.
    """
    _check(origin, knobs)
    chip = _rebuilt(origin, knobs.node_nm)
    chip = _with_variant(chip, knobs.variant) if knobs.variant is not None else chip
    chip = _moved(chip, knobs)
    changes: dict[str, Any] = {"knobs": knobs, "base": origin if knobs != Knobs() else None}
    if knobs.transposition is not None and knobs.transposition != chip.transposition.policy:
        policy = {"policy": knobs.transposition, "reason": "asked for"}
        changes["transposition"] = chip.transposition.model_copy(update=policy)
    return _with_given(chip, knobs).model_copy(update=changes)


def _check(chip, knobs: Knobs) -> None:
    for key in _NUMBERS:
        number = getattr(knobs, key)
        if number is not None and not (isinstance(number, int | float) and isfinite(number) and number > 0):
            _refuse(chip, key, f"{number!r} is not a number above zero.", "Give one, in SI units (the node in nm).")
    bits, widest = knobs.weight_bits, chip.max_weight_bits or chip.limits.value("weight_bits")
    if bits is not None and not (isinstance(bits, int) and bits > 0):
        _refuse(chip, "weight_bits", f"{bits!r} is not a width.", "Give a whole number of bits, 1 or more.")
    if bits is not None and widest and bits > widest:
        _refuse(chip, "weight_bits", f"{bits} bits are wider than the chip stores.", f"Give at most {widest}.")
    if knobs.transposition is not None and knobs.transposition not in chip.transposition.choices:
        choices = ", ".join(chip.transposition.choices)
        _refuse(chip, "transposition", f"the chip has no policy {knobs.transposition!r}.", f"Policies: {choices}.")
    if knobs.variant is not None and knobs.variant not in chip.variants:
        known = ", ".join(chip.variants) or "none"
        _refuse(chip, "variant", f"no variant is called {knobs.variant!r}.", f"Variants: {known}.")
    if knobs.clock_hz is not None and chip.clock is None:
        _refuse(chip, "clock_hz", "no power or time of the chip depends on a clock.", "Leave the clock.")


def _with_variant(chip, name: str):
    constants = {**chip.constants, **chip.variants[name].constants}
    return chip.model_copy(update={"constants": constants, "variants": {}})


def _rebuilt(chip, node_nm: float | None):
    """Return the chip built anew at the node asked for, where it is one that exists at several."""
    if node_nm is None or node_nm == chip.node_nm or not chip.nodes:
        return chip
    if node_nm not in chip.nodes or chip.rebuild is None:
        nodes = ", ".join(f"{node:g}" for node in chip.nodes)
        _refuse(chip, "node_nm", f"the chip is not known at {node_nm:g} nm.", f"Nodes: {nodes}.")
    return chip.rebuild(node_nm)


def _moved(chip, knobs: Knobs):
    """Return the chip at the node and the supply asked for."""
    try:
        move = plan(chip.node_nm, chip.vdd, knobs.node_nm, knobs.vdd)
    except KnobError as error:
        raise KnobError(error.problem, field=f"{chip.name}: {error.field}", remedy=error.remedy) from error
    return _scaled(chip, move) if move.before_nm != move.after_nm or move.ratio != 1.0 else chip


def _scaled(chip, move: Move):
    constants = {name: _apply(entry, move) for name, entry in chip.constants.items()}
    if not any(_follows(entry, move) for entry in chip.constants.values()):
        key = "node_nm" if move.before_nm != move.after_nm else "vdd"
        _refuse(
            chip,
            key,
            "none of its energies is known to scale with it.",
            "Leave it, or give the constants that do a scaling in the chip file.",
        )
    variants = {
        name: variant.model_copy(update={"constants": {k: _apply(e, move) for k, e in variant.constants.items()}})
        for name, variant in chip.variants.items()
    }
    changes = {"constants": constants, "variants": variants, "node_nm": move.after_nm, "vdd": move.after_vdd}
    return chip.model_copy(update=changes)


def _follows(entry: Constant | TableReference, move: Move) -> bool:
    """Return whether it is an energy that the move changes."""
    constant = entry.resolve(1) if isinstance(entry, TableReference) else entry
    return constant.dimension == "J" and move(constant) != constant


def _apply(entry: Constant | TableReference, move: Move) -> Constant | TableReference:
    if not isinstance(entry, TableReference):
        return move(entry)
    if entry.at == "weight_bits":
        return entry.model_copy(update={"moves": (*entry.moves, move)}) if entry.resolve(1).scaling != "none" else entry
    return move(entry.resolve(None))


def _with_given(chip, knobs: Knobs):
    """Return the chip with overhead and clock at the numbers that were given."""
    constants = dict(chip.constants)
    changes: dict[str, Any] = {"constants": constants}
    if knobs.overhead is not None:
        changes["overhead"] = chip.overhead or "overhead"
        constants[changes["overhead"]] = _given(knobs.overhead, "1", "factor of every dynamic term")
    if knobs.clock_hz is not None:
        constants[chip.clock] = _given(knobs.clock_hz, "Hz", "clock of the chip")
    return chip.model_copy(update=changes)


def _given(value: float, unit: str, includes: str) -> Constant:
    return Constant(
        value=float(value),
        low=float(value),
        high=float(value),
        unit=unit,
        includes=includes,
        evidence=Evidence.PROJECTED,
        source=GIVEN,
        year=0,
        band="none: it was given",
    )


def _refuse(chip, key: str, problem: str, remedy: str) -> NoReturn:
    raise KnobError(problem, field=f"{chip.name}: {key}", remedy=remedy)

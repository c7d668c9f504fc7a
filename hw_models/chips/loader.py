"""Chips by name, among those shipped, or by the path of a user's own TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hw_models.chips.lines import Places
from hw_models.chips.schema import Chip
from hw_models.chips.terms import TableReference
from hw_models.components import Technology, expand
from hw_models.errors import ChipError, ConstantError, HardwareError
from hw_models.technology import Constant, nominal_vdd
from hw_models.technology.sram import DEFAULT_FLAVOUR, FLAVOURS


@dataclass(frozen=True)
class ChipInfo:
    """What a list of chips shows of one of them."""

    name: str
    title: str
    node_nm: float
    vdd: float | None
    device: str
    description: str


def available_chips() -> list[ChipInfo]:
    """Return the shipped chips, by name."""
    chips = [_shipped(name) for name in _shipped_names()]
    return [ChipInfo(chip.name, chip.title, chip.node_nm, chip.vdd, chip.device, chip.description) for chip in chips]


def load_chip(name_or_path: str | Path) -> Chip:
    """Return a shipped chip by name, or a user's own from the path of its TOML file.

    A chip that exists at several nodes has a name at each (``generic-22nm``); its file's own name is the default node.

    Raises
    ------
    ChipError
        If the name is unknown, or the file is missing, is not TOML or does not follow the schema.
    ConstantError
        If one of its constants breaks the rules.
    """
    text = str(name_or_path)
    if text in _shipped_names() or text in {file for file, _ in _shipped_names().values()}:
        return _shipped(text)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        close = get_close_matches(text, _shipped_names(), n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise ChipError(
            f"no chip is called {text!r}.",
            field="chip",
            remedy=f"{hint}Known: {', '.join(_shipped_names())}, or the path of a .toml file.",
        )
    try:
        return parse_chip(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ChipError(f"the file cannot be read ({error}).", field=text, remedy="Check the path.") from error


def parse_chip(text: str, where: str, node_nm: float | None = None) -> Chip:
    """Return the chip that the TOML ``text`` describes, at one of its nodes; ``where`` names the text in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ChipError(f"not valid TOML: {error}.", field=where, remedy="Mend that line.") from error
    places = Places(text, where)
    _place_at(raw, node_nm)
    scalings = {
        name: entry["scaling"]
        for name, entry in _tables(raw, "constants").items()
        if isinstance(entry, dict) and "scaling" in entry
    }
    raw |= _constants(raw, "constants", places)
    for name, variant in _tables(raw, "variants").items():
        if isinstance(variant, dict):
            _inherit(_tables(variant, "constants"), scalings)
            variant |= _constants(variant, f"variants.{name}.constants", places)
    _build(raw, places)
    if raw.get("nodes"):
        raw["rebuild"] = cache(lambda node: parse_chip(text, where, node))
    return _validated(Chip, raw, places)


def _inherit(constants: dict[str, Any], scalings: dict[str, str]) -> None:
    """Let the constants of a variant scale as those that they replace: they stand for the same quantity."""
    for name, entry in constants.items():
        if isinstance(entry, dict) and "table" not in entry and name in scalings:
            entry.setdefault("scaling", scalings[name])


def _place_at(raw: dict[str, Any], node_nm: float | None) -> None:
    """Put the node into a chip that exists at several, where ``{node}`` stands in its words too."""
    if node_nm is not None and node_nm != raw.get("node_nm"):
        raw |= {"node_nm": node_nm, "vdd": round(nominal_vdd(node_nm), 3)}
    for key in ("name", "title"):
        if raw.get("nodes") and isinstance(raw.get(key), str) and isinstance(raw.get("node_nm"), int | float):
            raw[key] = raw[key].replace("{node}", f"{raw['node_nm']:g}")


def _build(raw: dict[str, Any], places: Places) -> None:
    """Add what the components of a chip give to its constants, static power, actions and area."""
    components = _tables(raw, "components")
    node = raw.get("node_nm")
    flavour = raw.get("flavour", DEFAULT_FLAVOUR)
    if not components or not isinstance(node, int | float) or not node > 0 or flavour not in FLAVOURS:
        return  # the schema says what is wrong
    try:
        built = expand(components, Technology(node, raw.get("vdd"), flavour))
    except HardwareError as error:
        raise ChipError(error.problem, field=places.name(error.field), remedy=error.remedy) from error
    references = {
        name: TableReference.model_validate(one) if isinstance(one, dict) else one
        for name, one in built.constants.items()
    }
    raw["constants"] = references | raw.get("constants", {})
    actions = raw.setdefault("actions", {})
    for counter, terms in built.actions.items():
        _put_before(actions, counter, terms)
    for key in ("static", "area"):
        _put_before(raw, key, getattr(built, key))


def _put_before(tables: Any, key: str, terms: list[dict[str, Any]]) -> None:
    """Put the terms of components before a file's own; what is no list of tables is left for the schema to refuse."""
    own = tables.get(key, []) if isinstance(tables, dict) else None
    if isinstance(own, list):
        tables[key] = [*terms, *own]


def _tables(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key, {})
    return found if isinstance(found, dict) else {}


def _constants(table: dict[str, Any], key: str, places: Places) -> dict[str, Any]:
    """Return {"constants": built} for a table that has constants, or nothing for one that has none."""
    given = table.get("constants")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ChipError("not a table.", field=places.name(key), remedy="Add [constants.NAME] tables.")
    return {"constants": {name: _constant(entry, f"{key}.{name}", places) for name, entry in given.items()}}


def _constant(entry: Any, key: str, places: Places) -> Constant | TableReference:
    if not isinstance(entry, dict):
        raise ChipError(
            f"{entry!r} is a bare value.",
            field=places.name(key),
            remedy="Give a table: value, low, high, unit and its source.",
        )
    if "table" in entry:
        reference = _validated(TableReference, entry, places, f"{key}.")
        try:
            reference.resolve(weight_bits=1)
        except ConstantError as error:
            raise ConstantError(f"{error}", field=places.name(key), remedy="Mend the reference.") from error
        return reference
    try:
        return Constant.from_mapping(entry, key)
    except ConstantError as error:
        raise ConstantError(error.problem, field=places.name(error.field), remedy=error.remedy) from error


def _validated(schema: type, raw: dict[str, Any], places: Places, prefix: str = ""):
    try:
        return schema.model_validate(raw)
    except ChipError as error:
        raise ChipError(error.problem, field=places.name(prefix + error.field), remedy=error.remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = prefix + ".".join(map(str, first["loc"]))
        remedies = {"missing": "Add the key.", "extra_forbidden": "Remove the key or correct its spelling."}
        raise ChipError(
            f"{first['msg'].lower()}.",
            field=places.name(key),
            remedy=remedies.get(first["type"], f"Found {first['input']!r}."),
        ) from error


def _presets():
    return files("hw_models.chips") / "presets"


@cache
def _shipped_names() -> dict[str, tuple[str, float | None]]:
    """Return (file, node) by the name of a chip; one that exists at several nodes has a name at each."""
    names: dict[str, tuple[str, float | None]] = {}
    for entry in _presets().iterdir():
        if not entry.name.endswith(".toml"):
            continue
        stem = entry.name.removesuffix(".toml")
        raw = tomllib.loads(entry.read_text(encoding="utf-8"))
        for node in raw.get("nodes", ()):
            names[raw["name"].replace("{node}", f"{node}")] = (stem, node)
        if not raw.get("nodes"):
            names[stem] = (stem, None)
    return dict(sorted(names.items()))


@cache
def _shipped(name: str) -> Chip:
    file, node_nm = _shipped_names().get(name, (name, None))
    return parse_chip((_presets() / f"{file}.toml").read_text(encoding="utf-8"), name, node_nm)

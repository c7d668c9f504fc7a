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
from hw_models.errors import ChipError, ConstantError
from hw_models.technology import Constant


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

    Raises
    ------
    ChipError
        If the name is unknown, or the file is missing, is not TOML or does not follow the schema.
    ConstantError
        If one of its constants breaks the rules.
    """
    text = str(name_or_path)
    if text in _shipped_names():
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


def parse_chip(text: str, where: str) -> Chip:
    """Return the chip that the TOML ``text`` describes; ``where`` names the text in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ChipError(f"not valid TOML: {error}.", field=where, remedy="Mend that line.") from error
    places = Places(text, where)
    raw |= _constants(raw, "constants", places)
    for name, variant in raw.get("variants", {}).items():
        if isinstance(variant, dict):
            variant |= _constants(variant, f"variants.{name}.constants", places)
    return _validated(Chip, raw, places)


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
def _shipped_names() -> tuple[str, ...]:
    names = (entry.name for entry in _presets().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def _shipped(name: str) -> Chip:
    return parse_chip((_presets() / f"{name}.toml").read_text(encoding="utf-8"), name)

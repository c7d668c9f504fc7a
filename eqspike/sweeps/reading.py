"""Reading and checking a sweep file; every complaint names the line and the key."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.recipes import load_recipe
from eqspike.sweeps.design import Axis, Design
from eqspike.sweeps.sampling import Distribution
from hw_models import load_chip
from hw_models.chips.knobs import Knobs
from hw_models.chips.lines import Places
from hw_models.errors import HardwareError

TABLES = ("grid", "list", "random")
KEYS = ("recipe", *TABLES)
CHIP = "chip"
_SAMPLING = ("samples", "sampler_seed")


def read_design(source: str | Path | Mapping[str, Any]) -> Design:
    """Return the design in a sweep file, or in the same as a mapping.

    Raises
    ------
    ConfigError
        if the file cannot be read, a key or a value is wrong (named with its line), or the recipe is unknown.
    """
    if isinstance(source, Mapping):
        return _Reader(source, "sweep", "", Path.cwd()).design()
    path = Path(source)
    try:
        text = path.read_text("utf-8")
        document = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError("there is no such file.", field=str(path), remedy="Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read ({error}).", field=str(path), remedy="Check the file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not valid TOML: {error}.", field=str(path), remedy="Mend that line.") from None
    return _Reader(document, str(path), text, path.resolve().parent).design()


class _Reader:
    """Checks a sweep document part by part."""

    def __init__(self, document: Mapping[str, Any], where: str, text: str, folder: Path) -> None:
        self.document, self.where, self.folder = document, where, folder
        self.lines = Places(text, where)
        self.places: dict[str, str] = {}

    def design(self) -> Design:
        for key in self.document:
            if key not in KEYS:
                raise self._error("there is no such key.", (key,), _nearest(key, KEYS, "Known:"))
        recipe = self.document.get("recipe")
        if not isinstance(recipe, str):
            raise self._error("name the recipe to sweep.", ("recipe",), 'For example: recipe = "eqspike-digits".')
        base = self._recipe(recipe)
        axes = [*self._grid(), *self._list(), *self._random()]
        if not axes:
            raise self._error("there is nothing to sweep.", ("recipe",), "Add a table [grid], [list] or [random].")
        return Design(
            recipe=recipe,
            base=base,
            axes=tuple(kept for axis in axes if (kept := _without_chips(axis))),
            prices=self._prices(axes),
            places=self.places,
            where=self.where,
            folder=self.folder,
        )

    def _recipe(self, name: str) -> dict:
        try:
            return load_recipe(str(self.folder / name) if name.endswith(".toml") else name)
        except ConfigError as error:
            raise self._error(error.problem, ("recipe",), error.remedy) from None

    def _grid(self) -> Iterator[Axis]:
        for field, values in self._table("grid").items():
            self._check_list("grid", field, values)
            yield Axis((field,), tuple((value,) for value in values))

    def _list(self) -> Iterator[Axis]:
        columns = self._table("list")
        for field, values in columns.items():
            self._check_list("list", field, values)
            if len(values) != (expected := len(next(iter(columns.values())))):
                first = next(iter(columns))
                raise self._error(
                    f"{len(values)} values beside {expected} of '{first}'.",
                    ("list", field),
                    "Row i is run i: give every column as many values.",
                )
        if columns:
            yield Axis(tuple(columns), tuple(zip(*columns.values(), strict=True)))

    def _random(self) -> Iterator[Axis]:
        table = self._table("random", leave=_SAMPLING)
        samples, seed = (table.pop(key, default) for key, default in zip(_SAMPLING, (None, 1), strict=True))
        if not table and samples is None:
            return
        for key, value, least in (("samples", samples, 1), ("sampler_seed", seed, 0)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                remedy = "For example: samples = 20." if key == "samples" else "Give a whole number from 0."
                raise self._error(f"this must be a whole number from {least}, not {value!r}.", ("random", key), remedy)
        columns = {}
        for field, said in table.items():
            try:
                draw = Distribution.parse(said)
            except ValueError as error:
                raise self._error(f"{error}.", ("random", field), "Give {low, high}, or a list of choices.") from None
            uniform = random.Random(f"{seed}:{field}")  # of its own: another field, or more samples, change nothing
            columns[field] = [draw(uniform.random()) for _ in range(samples)]
        yield Axis(tuple(columns), tuple(zip(*columns.values(), strict=True)))

    def _table(self, name: str, leave: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return a table with dotted fields, remembering where each stands."""
        table = self.document.get(name, {})
        if not isinstance(table, Mapping):
            raise self._error("this must be a table.", (name,), f"Write [{name}], then a line for each field.")
        found = {}
        for path, value in _flat(table):
            field = ".".join(path)
            if field in self.places:
                raise self._error(f"'{field}' is swept twice.", (name, *path), f"See also {self.places[field]}.")
            found[field] = value
            if field not in leave:
                self.places[field] = self.lines.at(field, (name, *path))
        return found

    def _check_list(self, table: str, field: str, values: Any) -> None:
        if not isinstance(values, list | tuple) or not values:
            example = json.dumps([values] if values != [] else [1, 2], default=str)
            raise self._error("this must be a list of values.", (table, field), f"For example: {example}.")

    def _prices(self, axes: list[Axis]) -> tuple[Mapping[str, Any], ...]:
        """Return every chip with every combination of its knobs, each checked."""
        found: list[dict[str, Any]] = [{}]
        for axis in axes:
            chosen = [place for place, field in enumerate(axis.fields) if _is_chip(field)]
            if chosen:
                rows = [{axis.fields[place]: row[place] for place in chosen} for row in axis.rows]
                found = [have | row for have in found for row in rows]
        unique = {json.dumps(price, sort_keys=True, default=str): price for price in found if price}
        return tuple(self._price(price) for price in unique.values())

    def _price(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        name = fields.get(CHIP)
        knobs = {field.removeprefix(f"{CHIP}."): value for field, value in fields.items() if field != CHIP}
        known = tuple(Knobs.__dataclass_fields__)
        for knob in knobs:
            if knob not in known:
                field = f"{CHIP}.{knob}"
                raise self._place(field, "a chip has no such knob.", _nearest(knob, known, "Knobs:"))
        if not isinstance(name, str):
            field = CHIP if CHIP in fields else next(iter(fields))
            raise self._place(field, "the knobs of which chip?", 'Name it: "chip" = ["generic-45nm"].')
        chip = str(self.folder / name) if name.endswith(".toml") else name
        try:
            load_chip(chip).at(**knobs)
        except HardwareError as error:
            field = next((field for field in fields if error.field.endswith(field.removeprefix(f"{CHIP}."))), CHIP)
            raise self._place(field, error.problem, error.remedy) from None
        return {"chip": chip, "knobs": knobs}

    def _place(self, field: str, problem: str, remedy: str) -> ConfigError:
        return ConfigError(problem, field=self.places[field], remedy=remedy)

    def _error(self, problem: str, path: tuple[str, ...], remedy: str) -> ConfigError:
        return ConfigError(problem, field=self.lines.at(".".join(path), path), remedy=remedy)


def _is_chip(field: str) -> bool:
    return field == CHIP or field.startswith(f"{CHIP}.")


def _without_chips(axis: Axis) -> Axis | None:
    """Return the axis without what only prices, its rows once each; nothing where nothing is left."""
    kept = [place for place, field in enumerate(axis.fields) if not _is_chip(field)]
    if len(kept) == len(axis.fields):
        return axis
    rows = {repr(row): row for row in (tuple(row[place] for place in kept) for row in axis.rows)}
    return Axis(tuple(axis.fields[place] for place in kept), tuple(rows.values())) if kept else None


def _flat(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (parts of the key, value): a field may be quoted, or written with plain dots."""
    for key, value in table.items():
        if isinstance(value, Mapping) and not {"low", "high"} & set(value):
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), value


def _nearest(key: str, known: tuple[str, ...], otherwise: str) -> str:
    close = get_close_matches(key, known, 1)
    return f"Did you mean '{close[0]}'?" if close else f"{otherwise} {', '.join(known)}."

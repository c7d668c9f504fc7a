"""Published tables of constants, shipped as data; a row may be a curve over size or width, read log-log."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hw_models.errors import ConstantError
from hw_models.technology import sram
from hw_models.technology.constant import Constant
from hw_models.technology.curve import Curve


@dataclass(frozen=True)
class Table:
    """A published table: its rows by name."""

    name: str
    title: str
    rows: Mapping[str, Curve]

    def constant(self, row: str, at: float | None = None) -> Constant:
        """Return the constant of ``row``, at a point of its curve where it has one."""
        if row not in self.rows:
            raise ConstantError(f"no row {row!r}.", field=f"table {self.name}", remedy=f"Rows: {', '.join(self.rows)}.")
        return self.rows[row].at(at)


def available_tables() -> list[str]:
    """Return the names of the shipped tables."""
    shipped = (entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return sorted([*shipped, *_banks()])


@cache
def load_table(name: str) -> Table:
    """Return a shipped table by name.

    Raises
    ------
    ConstantError
        If there is no such table, or a row breaks the rules of :class:`Constant`.
    """
    if name not in available_tables():
        raise ConstantError(
            f"no table {name!r} is shipped.", field="table", remedy=f"Tables: {', '.join(available_tables())}."
        )
    if name in _banks():
        node_nm, flavour = _banks()[name]
        title = f"CACTI 7: an SRAM bank with 64-bit words, {node_nm:g} nm, {flavour}, 300 K"
        return Table(name, title, {row: sram.curve(row, node_nm, flavour) for row in sram.QUANTITIES})
    raw = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    rows = {row: _curve(f"{name}.{row}", raw["common"] | entry) for row, entry in raw["rows"].items()}
    return Table(name, raw["title"], rows)


@cache
def _banks() -> dict[str, tuple[float, str]]:
    """Return node and flavour of every table of SRAM banks; without a flavour in its name a table is itrs-lstp."""
    names = {}
    for node_nm in sram.nodes():
        for flavour in sram.FLAVOURS:
            suffix = "" if flavour == sram.DEFAULT_FLAVOUR else "_" + flavour.removeprefix("itrs-")
            names[f"cacti7_sram_{node_nm:g}nm{suffix}"] = (node_nm, flavour)
    return names


def _folder():
    return files("hw_models.technology")


def _curve(name: str, entry: dict) -> Curve:
    axis, points = entry.pop("axis", ""), entry.pop("points", None)
    if not points:
        return Curve(name, "", ((0.0, Constant.from_mapping(entry, name)),))
    built = [(float(point.pop("at")), Constant.from_mapping(entry | point, name)) for point in points]
    return Curve(name, axis, tuple(sorted(built, key=lambda point: point[0])))

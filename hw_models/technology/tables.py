"""Published tables of constants, shipped as TOML data; a row may be a curve over size or width, read log-log."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import exp, log

from hw_models.errors import ConstantError
from hw_models.technology.constant import Constant, Evidence


@dataclass(frozen=True)
class Curve:
    """Constants of one row at rising points of ``axis`` (such as kB or bits); a row without axis has one point."""

    name: str
    axis: str
    points: tuple[tuple[float, Constant], ...]

    def at(self, position: float | None = None) -> Constant:
        """Return the constant at ``position``: a published point as it stands, between two points the line in log-log.

        log E = log E_a + (log E_b - log E_a) (log x - log a) / (log b - log a), for value, low and high alike. Below
        the smallest published point its price holds (nothing gets cheaper than what was published).

        Raises
        ------
        ConstantError
            If the row needs a position and has none, or the position lies above the largest published point.
        """
        if not self.axis:
            return self.points[0][1]
        if position is None:
            raise ConstantError(f"the row is a curve over {self.axis}.", field=self.name, remedy="Give at = a number.")
        clamped = max(position, self.points[0][0])
        for (left, before), (right, after) in zip(self.points, self.points[1:], strict=False):
            if clamped == left:
                return before
            if left < clamped < right:
                return _between(before, after, log(clamped / left) / log(right / left))
        if clamped == self.points[-1][0]:
            return self.points[-1][1]
        raise ConstantError(
            f"{position:g} {self.axis} lies above the largest published point, {self.points[-1][0]:g} {self.axis}.",
            field=self.name,
            remedy="Split the memory or the word, or use another table.",
        )


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
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


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
    raw = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    rows = {row: _curve(f"{name}.{row}", raw["common"] | entry) for row, entry in raw["rows"].items()}
    return Table(name, raw["title"], rows)


def _folder():
    return files("hw_models.technology")


def _curve(name: str, entry: dict) -> Curve:
    axis, points = entry.pop("axis", ""), entry.pop("points", None)
    if not points:
        return Curve(name, "", ((0.0, Constant.from_mapping(entry, name)),))
    built = [(float(point.pop("at")), Constant.from_mapping(entry | point, name)) for point in points]
    return Curve(name, axis, tuple(sorted(built, key=lambda point: point[0])))


def _between(before: Constant, after: Constant, fraction: float) -> Constant:
    value, low, high = (
        exp((1 - fraction) * log(getattr(before, key)) + fraction * log(getattr(after, key)))
        for key in ("value", "low", "high")
    )
    evidence = min(before.evidence, after.evidence, Evidence.DERIVED, key=lambda grade: grade.rank)
    return replace(before, value=value, low=low, high=high, evidence=evidence)

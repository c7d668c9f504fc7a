"""A sweep file: which runs are asked for, and on which chips they are priced.

Tables multiply: every point of ``[grid]`` (all combinations of its lists) with every row of ``[list]`` and every sample
of ``[random]``. A point is worked out from its place, so a design of any size takes no memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.training.api import resolve
from eqspike.training.spec import RunSpec

MANY = 10_000  # runs; more are likely a slip, and wait for a yes


@dataclass(frozen=True)
class Axis:
    """Fields that take their values together: ``rows`` of one value per field."""

    fields: tuple[str, ...]
    rows: tuple[tuple, ...]


@dataclass(frozen=True)
class Design:
    """The runs of a sweep, by place; ``prices`` are the chips with their knobs that its chip fields ask for.

    Parameters
    ----------
    recipe : name or file of the recipe, as the sweep file says it.
    base : the recipe's settings.
    folder : what relative paths in the sweep file start from.
    """

    recipe: str
    base: Mapping[str, Any]
    axes: tuple[Axis, ...]
    prices: tuple[Mapping[str, Any], ...]
    places: Mapping[str, str]
    where: str
    folder: Path

    def __len__(self) -> int:
        return math.prod(len(axis.rows) for axis in self.axes)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that the runs differ in."""
        return tuple(field for axis in self.axes for field in axis.fields)

    def settings(self, place: int) -> dict[str, Any]:
        """Return the changes to the recipe at ``place``; the last field of the file changes fastest."""
        chosen = []
        for axis in reversed(self.axes):
            place, row = divmod(place, len(axis.rows))
            chosen.append(zip(axis.fields, axis.rows[row], strict=True))
        return {field: self._located(field, value) for pairs in reversed(chosen) for field, value in pairs}

    def spec(self, place: int) -> RunSpec:
        """Return the run at ``place``, resolved.

        Raises
        ------
        ConfigError
            names the line and the field at fault, with the nearest that exists.
        """
        settings = self.settings(place)
        try:
            return resolve(self.base, settings)
        except ConfigError as error:
            raise self._explained(error, settings) from None

    def check_size(self, *, yes: bool) -> None:
        """Refuse a sweep of very many runs unless it is meant.

        Raises
        ------
        ConfigError
            if there are more than 10,000 runs and ``yes`` is false.
        """
        if len(self) > MANY and not yes:
            counts = " x ".join(str(len(axis.rows)) for axis in self.axes)
            raise ConfigError(
                f"these are {len(self):,} runs ({counts}).", field=self.where, remedy="If that is meant, add --yes."
            )

    def _located(self, field: str, value: Any) -> Any:
        """Return ``value``, the file of a data set as seen from everywhere."""
        is_file = field == "data.name" and isinstance(value, str) and value.endswith(".npz")
        return str(self.folder / value) if is_file else value

    def _explained(self, error: ConfigError, settings: Mapping[str, Any]) -> ConfigError:
        at = error.field.split(": ")[-1]
        guilty = max((field for field in settings if _related(field, at)), key=len, default=None)
        if guilty is None:
            said = ", ".join(f"{field} = {value}" for field, value in settings.items())
            return ConfigError(error.problem, field=f"{self.where}: {at} (where {said})", remedy=error.remedy)
        return ConfigError(error.problem, field=self.places[guilty], remedy=error.remedy)


def _related(field: str, at: str) -> bool:
    """Return whether a complaint about ``at`` is about what ``field`` says."""
    return field == at or field.startswith(f"{at}.") or at.startswith(f"{field}.")

"""What the options of ``train`` say as changes to a recipe, and where its files go."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from itertools import chain, count
from pathlib import Path
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.data import available_datasets

DEFAULT_FOLDER = Path("runs")


def changes_from(
    pairs: Iterable[str], *, dataset: str | None = None, epochs: int | None = None, seed: int | None = None
) -> dict[str, Any]:
    """Return the changes that ``--set`` and the shorthands ask for, by dotted key.

    Raises
    ------
    ConfigError
        if a pair is not ``key=value``, or a key is given twice.
    """
    given = [_parse_pair(pair) for pair in pairs]
    shorthands = {"data.name": dataset and dataset_name(dataset), "training.epochs": epochs, "seed": seed}
    given += [(key, value) for key, value in shorthands.items() if value is not None]
    changes: dict[str, Any] = {}
    for key, value in given:
        if key in changes:
            raise ConfigError("this setting is given twice.", field=key, remedy="Give it once.")
        changes[key] = value
    return changes


def parse_value(text: str) -> Any:
    """Return ``text`` as a TOML number, boolean, string, list or table, else as the string that it is."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = parsed.get("value")
    return value if len(parsed) == 1 and isinstance(value, bool | int | float | str | list | dict) else text


def dataset_name(given: str) -> str:
    """Return the name of a data set as a run file keeps it: a file by its full path, to be found from any folder."""
    known = {info.name for info in available_datasets()}
    return str(Path(given).resolve()) if given not in known and Path(given).suffix.lower() == ".npz" else given


def figure_path(run_file: Path) -> Path:
    """Return where the STDP figure of a run lies: beside its file."""
    return run_file.with_name(f"{run_file.stem}-stdp.png")


def free_path(first: Path, *, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Return ``first``, or the first of ``first-2``, ``first-3`` ... that is not taken."""
    numbered = (first.with_name(f"{first.stem}-{number}{first.suffix}") for number in count(2))
    return next(path for path in chain([first], numbered) if not taken(path))


def free_run_file(name: str, seed: int) -> Path:
    """Return the first of ``runs/NAME-seedN.h5``, ``runs/NAME-seedN-2.h5`` ... where neither run nor figure exists."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".")
    first = DEFAULT_FOLDER / f"{plain}-seed{seed}.h5"
    return free_path(first, taken=lambda path: path.exists() or figure_path(path).exists())


def _parse_pair(pair: str) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"'{pair}' is not key=value.", field="--set", remedy="For example: --set training.epochs=5.")
    return key.strip(), parse_value(value.strip())

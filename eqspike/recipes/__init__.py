"""Recipes: named run specifications as TOML, shipped with the package or found by path."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from eqspike.core.errors import ConfigError


def shipped_recipes() -> dict[str, dict]:
    """Return the settings of every recipe inside the package, by name."""
    return _shipped(files(__name__))


def shipped_networks() -> dict[str, dict]:
    """Return the settings of every network in continuous time inside the package, by name."""
    return _shipped(files(__name__) / "networks")


def _shipped(folder: Traversable) -> dict[str, dict]:
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            found[entry.name.removesuffix(".toml")] = tomllib.loads(entry.read_text("utf-8"))
    return found


def load_recipe(name_or_path: str) -> dict:
    """Return the settings of a recipe, by the name of a shipped one or the path of a TOML file.

    Raises
    ------
    ConfigError
        if there is no such recipe, or the file is no TOML.
    """
    return _load(name_or_path, shipped_recipes(), "recipe")


def load_network(name_or_path: str) -> dict:
    """Return the settings of a network in continuous time, by name or path, as :func:`load_recipe` does."""
    return _load(name_or_path, shipped_networks(), "network")


def _load(name_or_path: str, shipped: dict[str, dict], what: str) -> dict:
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if path.suffix != ".toml":
        close = get_close_matches(name_or_path, shipped, 1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Shipped: {', '.join(shipped)}; or give a .toml file."
        raise ConfigError(f"there is no {what} '{name_or_path}'.", field=what, remedy=hint)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such file.", field=str(path), remedy="Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the {what} cannot be read ({error}).", field=str(path), remedy="Check the file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not valid TOML: {error}.", field=str(path), remedy="Mend that line.") from None

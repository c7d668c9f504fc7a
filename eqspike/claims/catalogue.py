"""Finding claims: the folders of a checkout's ``experiments``."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from eqspike.claims.schema import CLAIM_FILE
from eqspike.core.errors import ConfigError

EXPERIMENTS = "experiments"


def find_experiments(start: Path | None = None) -> Path:
    """Return the folder ``experiments`` of the checkout that holds ``start`` (by default the present folder).

    Raises
    ------
    ConfigError
        if neither ``start`` nor a folder above it has one with claims in it.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if claim_folders(folder / EXPERIMENTS):
            return folder / EXPERIMENTS
    raise ConfigError(
        "there is no folder 'experiments' with claims here: experiments are not installed with the package.",
        field="reproduce",
        remedy="Run this in a checkout of the repository, or give the path of a claim's folder.",
    )


def claim_folders(experiments: Path) -> dict[str, Path]:
    """Return the folders of ``experiments`` that hold a claim, by name."""
    return {path.parent.name: path.parent for path in sorted(experiments.glob(f"*/{CLAIM_FILE}"))}


def find_claim(name: str, start: Path | None = None) -> Path:
    """Return the folder of a claim, by its name in the checkout or by its path.

    Raises
    ------
    ConfigError
        if there is no such claim, or no checkout.
    """
    path = Path(name)
    if (path / CLAIM_FILE).is_file():
        return path
    folders = claim_folders(find_experiments(start))
    if name in folders:
        return folders[name]
    close = get_close_matches(name, folders, 1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Claims here: {', '.join(folders)}."
    raise ConfigError(f"there is no claim '{name}'.", field="reproduce", remedy=hint)

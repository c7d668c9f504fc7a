"""The cases of a claim as a figure: test error, mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from eqspike.core.errors import ConfigError
from eqspike.plots.style import BLUE, GREY, LABEL, TITLE, new_figure, save_figure

_ROW_IN, _NAMES_IN = 0.36, 1.9


def draw(document: Mapping[str, Any], title: str = "") -> Figure:
    """Return the figure of what a claim measured: one row a case, a dot a seed, mean and sample standard deviation.

    Raises
    ------
    ConfigError
        if no case has a test accuracy yet.
    """
    errors = {
        name: 100 * (1 - np.array([run["results"]["test_accuracy"] for run in _finished(case)]))
        for name, case in document["cases"].items()
        if _finished(case)
    }
    if not errors:
        raise ConfigError("no run of this claim has a test accuracy.", field="--figure", remedy="Run it first.")
    caption = (
        "Grey: one run each. Blue: mean and sample standard deviation over seeds. Settings, counts and energies of "
        "every run are in measured.json."
    )
    figure, (axes,) = new_figure(7.4, 0.5 + _ROW_IN * len(errors), caption=caption)
    place = axes.get_position()
    left = _NAMES_IN / figure.get_figwidth()
    axes.set_position([left, place.y0, place.x1 - left, place.height])
    for row, values in enumerate(errors.values()):
        axes.plot(values, np.full(len(values), row), "o", color=GREY, markersize=4, zorder=2)
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        axes.errorbar(values.mean(), row, xerr=spread, fmt="s", color=BLUE, capsize=4, markersize=6, zorder=3)
    axes.set_yticks(range(len(errors)), list(errors))
    axes.set_ylim(len(errors) - 0.5, -0.5)
    axes.grid(axis="x", color=GREY, alpha=0.25)
    axes.set_xlabel("test error, %", fontsize=LABEL)
    figure.suptitle(title, fontsize=TITLE, x=0.5, y=0.985)
    return figure


def save(document: Mapping[str, Any], path: str | PathLike, title: str = "", *, overwrite: bool = False) -> None:
    """Write the figure of :func:`draw` to ``path``."""
    save_figure(draw(document, title), path, overwrite=overwrite)


def _finished(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    runs = case["runs"].values()
    return [run for run in runs if run["status"] == "complete" and run["results"].get("test_accuracy") is not None]

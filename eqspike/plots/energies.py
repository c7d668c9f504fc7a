"""The cases of a claim as a figure: energy of an inference and of a training sample on each chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from eqspike.core.errors import ConfigError
from eqspike.core.units import engineering
from eqspike.plots.style import BLUE, GREEN, GREY, LABEL, ORANGE, PURPLE, TICK, TITLE, new_figure, save_figure

PANELS = {"energy_per_inference_j": "one inference", "energy_per_training_sample_j": "learning from one sample"}
_COLOURS = (ORANGE, BLUE, GREEN, PURPLE)
_ROW_IN, _NAMES_IN, _GAP_IN, _HEAD_IN = 0.62, 1.75, 0.35, 0.25
_SPREAD = 0.34  # of the rows of one case, in rows

Bands = dict[str, tuple[float, float, float]]


def bands(case: Mapping[str, Any], quantity: str) -> Bands:
    """Return value, low and high energy of ``quantity`` by chip, means over the seeds that were priced there."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for run in _finished(case):
        for chip, prices in run["energies"].items():
            if price := prices.get(quantity):
                found.setdefault(chip, []).append((price["value"], price["low"], price["high"]))
    return {chip: tuple(np.mean(values, axis=0).tolist()) for chip, values in found.items()}


def draw(document: Mapping[str, Any], title: str = "") -> Figure:
    """Return the figure of what a claim's runs cost: one row a case, one dot a chip, bars from low to high prices.

    Raises
    ------
    ConfigError
        if no run has an energy yet.
    """
    cases = {name: case for name, case in document["cases"].items() if any(bands(case, q) for q in PANELS)}
    if not cases:
        raise ConfigError("no run of this claim has an energy.", field="--figure", remedy="Run it first.")
    chips = sorted({chip for case in cases.values() for quantity in PANELS for chip in bands(case, quantity)})
    caption = (
        "The same counted events priced on each chip. Dots: nominal prices; bars: all prices of the chip at their low "
        "or at their high bound. Below a name: test accuracy of that run."
    )
    figure, panels = new_figure(10.6, 0.3 + _HEAD_IN + _ROW_IN * len(cases), panels=len(PANELS), caption=caption)
    _place(panels)
    for axes, (quantity, said) in zip(panels, PANELS.items(), strict=True):
        for row, case in enumerate(cases.values()):
            _draw_row(axes, row, bands(case, quantity), chips)
        _finish(axes, said, len(cases))
        _name(axes, chips)
    panels[0].set_yticks(range(len(cases)), list(map(_label, cases, cases.values())))
    panels[1].set_yticks(range(len(cases)), [""] * len(cases))
    figure.suptitle(title, fontsize=TITLE, x=0.5, y=0.985)
    return figure


def save(document: Mapping[str, Any], path: str | PathLike, title: str = "", *, overwrite: bool = False) -> None:
    """Write the figure of :func:`draw` to ``path``."""
    save_figure(draw(document, title), path, overwrite=overwrite)


def _finished(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [run for run in case["runs"].values() if run["status"] == "complete"]


def _place(panels: Sequence[Axes]) -> None:
    """Make room for the names of the cases, left of panels that share them, and for those of the chips above."""
    width, height = panels[0].figure.get_size_inches()
    each = (width - _NAMES_IN - 0.2 - _GAP_IN * (len(panels) - 1)) / len(panels)
    for k, axes in enumerate(panels):
        place = axes.get_position()
        axes.set_position(
            [(_NAMES_IN + k * (each + _GAP_IN)) / width, place.y0, each / width, place.height - _HEAD_IN / height]
        )


def _draw_row(axes: Axes, row: int, found: Bands, chips: Sequence[str]) -> None:
    for place, chip in enumerate(chips):
        if chip not in found:
            continue
        (value, low, high), colour = found[chip], _COLOURS[place % len(_COLOURS)]
        y = row + _SPREAD * (place / max(1, len(chips) - 1) - 0.5)
        axes.plot([low, high], [y, y], color=colour, lw=5, alpha=0.25, solid_capstyle="butt", zorder=2)
        axes.plot(value, y, "o", color=colour, ms=6, zorder=3)
        axes.annotate(
            engineering(value, "J"), (value, y), xytext=(0, 4), textcoords="offset points", fontsize=TICK - 1,
            color=colour, ha="center", va="bottom", zorder=4,
        )  # fmt: skip


def _finish(axes: Axes, said: str, rows: int) -> None:
    axes.set_xscale("log")
    axes.set_ylim(rows - 0.45, -0.65)
    axes.xaxis.set_major_locator(LogLocator(10, numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda energy, _: engineering(energy, "J")))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=TICK - 1)
    axes.grid(axis="x", color=GREY, alpha=0.25)
    axes.set_xlabel(f"energy of {said}", fontsize=LABEL)


def _name(axes: Axes, chips: Sequence[str]) -> None:
    """Write the names of the chips above a panel, in their colours."""
    for place, chip in enumerate(chips):
        x = place / max(1, len(chips) - 1)
        side = {0: "left", 1: "right"}.get(x, "center")
        axes.text(
            x, 1.02, chip, transform=axes.transAxes, ha=side, va="bottom", fontsize=TICK,
            color=_COLOURS[place % len(_COLOURS)],
        )  # fmt: skip


def _label(name: str, case: Mapping[str, Any]) -> str:
    accuracies = [run["results"].get("test_accuracy") for run in _finished(case)]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    return f"{name}\n{100 * np.mean(known):.1f} %" if known else name

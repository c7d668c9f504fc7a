"""Accuracy against energy as a figure: every configuration with its band, and the front that nothing beats in both."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from eqspike.core.errors import ConfigError
from eqspike.plots.style import BLUE, GREEN, GREY, LABEL, ORANGE, PURPLE, TICK, TITLE, new_figure

_PANEL_IN, _LEFT_IN, _HEIGHT_IN, _LINE_IN = 4.0, 0.85, 4.2, 0.165
_LIST_CHARACTERS, _CHARACTER_IN = 44, 0.068
_SIDES = ({"xytext": (5, -9), "ha": "left"}, {"xytext": (-5, 4), "ha": "right"})
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)


def draw(
    panels: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]],
    *,
    accuracy: str = "test accuracy",
    energy: str = "inference",
) -> Figure:
    """Return the figure of accuracy against energy, a panel for each chip, a colour for each series in it.

    Parameters
    ----------
    panels : by chip and series the points: ``accuracy``, ``accuracy_spread``, ``energy_j`` as {value, low, high},
        ``label``, and ``front``: on the fronts with constants at which ends of their bands (empty: on none).
    accuracy, energy : as the axes name them; energy per ``energy``.

    Raises
    ------
    ConfigError
        if there is no point.
    """
    if not any(points for series in panels.values() for points in series.values()):
        raise ConfigError("no run has both an accuracy and an energy.", field="--pareto", remedy="Name a --chip.")
    caption = (
        f"Each dot is a configuration, mean over its seeds; vertical bars: their sample standard deviation. Horizontal "
        f"bars: energy per {energy} with all constants of the chip low, and high; they move together for all dots of a "
        "panel. Line: the front that no other configuration of its colour beats in both. Filled squares stay on the "
        "front with all constants low and high, hollow ones do not."
    )
    listed = [[line for line, _ in _coloured(series)] for series in panels.values()]
    longest = max((len(line) for lines in listed for line in lines), default=0)
    height = max(_HEIGHT_IN, *(_LINE_IN * (len(lines) + 4) for lines in listed))
    each = _LEFT_IN + _PANEL_IN + 0.2 + longest * _CHARACTER_IN
    width = each * len(panels) + 0.2
    figure, axes = new_figure(width, height, panels=len(panels), caption=caption)
    for place, (panel, (chip, series)) in enumerate(zip(axes, panels.items(), strict=True)):
        box = panel.get_position()
        panel.set_position([(place * each + _LEFT_IN) / width, box.y0, _PANEL_IN / width, box.height])
        _draw_panel(panel, series)
        panel.set_title(chip, fontsize=TITLE, loc="left")
        panel.set_xlabel(f"energy per {energy}, J", fontsize=LABEL)
    axes[0].set_ylabel(f"{accuracy}, %", fontsize=LABEL)
    return figure


def _draw_panel(axes: Axes, series: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    axes.set_xscale("log")
    axes.grid(color=GREY, alpha=0.2)
    axes.set_axisbelow(True)
    number = 0
    for colour, points in zip(_COLOURS * len(series), series.values(), strict=False):
        on = [point for point in points if point["front"]]
        for point in points:
            _draw_point(axes, point, colour)
        line = [(p["energy_j"]["value"], 100 * p["accuracy"]) for p in on if "value" in p["front"]]
        if line:
            axes.plot(*zip(*sorted(line), strict=True), color=colour, linewidth=1.6, drawstyle="steps-post", zorder=4)
        for point in sorted(on, key=lambda point: point["energy_j"]["value"]):
            number += 1
            place = (point["energy_j"]["value"], 100 * point["accuracy"])
            side = _SIDES[number % 2]  # in turn, for neighbours on a front may be close
            axes.annotate(str(number), place, textcoords="offset points", fontsize=8, color=colour, fontweight="bold",
                          path_effects=[withStroke(linewidth=2, foreground="white")], zorder=6, **side)  # fmt: skip
    _draw_list(axes, series)


def _draw_point(axes: Axes, point: Mapping[str, Any], colour: str) -> None:
    """Draw a point: of the front with its full bars, of others faintly."""
    energy, accuracy, on = point["energy_j"], 100 * point["accuracy"], bool(point["front"])
    low = max(energy["low"], 1e-6 * energy["value"])  # a band down to zero has no place on a logarithmic axis
    certain = len(point["front"]) == 3
    axes.errorbar(
        energy["value"], accuracy, xerr=[[energy["value"] - low], [energy["high"] - energy["value"]]],
        yerr=100 * point["accuracy_spread"] or None, fmt="s" if on else "o", color=colour,
        markerfacecolor=colour if certain or not on else "white", markersize=5.5 if on else 3,
        elinewidth=1.1 if on else 0.5, capsize=2.5 if on else 0, alpha=1.0 if on else 0.3, zorder=5 if on else 2,
    )  # fmt: skip


def _draw_list(axes: Axes, series: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write beside the axes what the numbers of the front are."""
    figure = axes.figure
    step = _LINE_IN / (axes.get_position().height * figure.get_figheight())
    height = 1.0
    for colour, name in zip(_COLOURS * len(series), series, strict=False):
        if len(series) > 1:
            axes.text(1.04, height, name, transform=axes.transAxes, fontsize=TICK, color=colour, fontweight="bold")
            height -= 1.2 * step
    for line, colour in _coloured(series):
        axes.text(1.04, height, line, transform=axes.transAxes, fontsize=8, color=colour)
        height -= step


def _coloured(series: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Return the lines of the list beside the axes, each with its colour."""
    lines, number = [], 0
    for colour, points in zip(_COLOURS * len(series), series.values(), strict=False):
        on = sorted((point for point in points if point["front"]), key=lambda point: point["energy_j"]["value"])
        for point in on:
            number += 1
            said = f"{number}  {point['label']}: {100 * point['accuracy']:.1f} %"
            lines += [(line, colour) for line in textwrap.wrap(said, _LIST_CHARACTERS, subsequent_indent="    ")]
    return lines

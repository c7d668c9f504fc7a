"""Energies as figures: stacked bars by component with error bars, and the constants that decide a number."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eqspike.plots.style import (
    AMBER,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LABEL,
    ORANGE,
    PURPLE,
    SKY,
    TICK,
    TITLE,
    YELLOW,
    new_figure,
)

_PARTS = ("static", "dynamic", "periphery")
_HATCHES = {"static": "...", "dynamic": "", "periphery": "///"}  # so that grey prints tell them apart
_COLOURS = (GREY, BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, YELLOW)
_LEGEND_CHARACTERS = 30
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k"}
_ROW_IN, _NAMES_IN = 0.34, 2.2
_SHOWN = 12  # constants of a tornado


def draw_components(report: Mapping[str, Any]) -> Figure:
    """Return the figure of joules per presentation by phase, stacked by component, with the band of each total.

    Parameters
    ----------
    report : of :meth:`hw_models.CostReport.to_dict`.
    """
    stacks = {phase: _stack(report, phase) for phase in report["phases"]}
    totals = [_each(report, phase, size["total"]) for phase, size in report["phases"].items()]
    unit, scale = _unit(max(total["value"] for total in totals))
    figure, (axes,) = new_figure(8.6, 3.8, caption=_caption(report))
    place = axes.get_position()
    axes.set_position([place.x0, place.y0, place.width * 0.62, place.height])
    _draw_stacks(axes, stacks, scale)
    values = [scale * total["value"] for total in totals]
    bounds = [[value - scale * total["low"] for value, total in zip(values, totals, strict=True)],
              [scale * total["high"] - value for value, total in zip(values, totals, strict=True)]]  # fmt: skip
    axes.errorbar(range(len(stacks)), values, yerr=bounds, fmt="none", ecolor=BLACK, elinewidth=1.2, capsize=5)
    axes.set_xticks(range(len(stacks)), list(stacks), fontsize=LABEL)
    axes.set_ylabel(f"energy per presentation, {unit}J", fontsize=LABEL)
    axes.set_ylim(bottom=0)
    handles, labels = axes.get_legend_handles_labels()
    beside = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
    axes.legend(handles[::-1], labels[::-1], fontsize=TICK, frameon=False, **beside)
    figure.suptitle(f"{report['workload']} on {report['chip']}", fontsize=TITLE, x=0.5, y=0.985, parse_math=False)
    return figure


def _draw_stacks(axes: Axes, stacks: Mapping[str, Mapping[tuple[str, str], float]], scale: float) -> None:
    """Draw the parts from static up to periphery, within each the dearest component at the bottom."""
    weights: dict[tuple[str, str], float] = {}
    for stack in stacks.values():
        for key, joules in stack.items():
            weights[key] = weights.get(key, 0.0) + joules
    ordered = sorted(weights, key=lambda key: (_PARTS.index(key[0]), -weights[key]))
    bottoms = [0.0] * len(stacks)
    for number, (part, component) in enumerate(ordered):
        heights = [scale * stack.get((part, component), 0.0) for stack in stacks.values()]
        axes.bar(
            range(len(stacks)), heights, 0.62, bottom=bottoms, color=_COLOURS[number % len(_COLOURS)],
            hatch=_HATCHES[part], edgecolor="white", linewidth=0.6,
            label=textwrap.fill(f"{component} ({part})", _LEGEND_CHARACTERS),
        )  # fmt: skip
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]


def draw_tornado(swings: Sequence[tuple[str, float, float]], value: float, what: str, title: str) -> Figure:
    """Return the figure of what each constant, between its low and its high, makes of an energy: widest on top.

    Parameters
    ----------
    swings : (constant, joules at its low, joules at its high).
    value : joules with all constants at their values.
    what : the energy, as the axis names it.
    """
    moving = [swing for swing in swings if swing[1] != swing[2]]
    shown, left_out = moving[:_SHOWN], len(moving) - _SHOWN
    unit, scale = _unit(max([value, *(max(swing[1:]) for swing in shown)]))
    more = f" {left_out} constants that matter less are left out." if left_out > 0 else ""
    caption = (
        "One constant at a time goes from the low end of its band (blue) to the high end (orange), all others stay at "
        f"their value; the line is the energy with all at their value.{more}"
    )
    figure, (axes,) = new_figure(7.4, 0.5 + _ROW_IN * max(1, len(shown)), caption=caption)
    place, left = axes.get_position(), _NAMES_IN / figure.get_figwidth()
    axes.set_position([left, place.y0, place.x1 - left, place.height])
    for row, (_, low, high) in enumerate(shown):
        for end, colour in ((low, BLUE), (high, ORANGE)):
            axes.barh(row, scale * (end - value), 0.62, left=scale * value, color=colour)
    axes.axvline(scale * value, color=BLACK, linewidth=1)
    axes.set_yticks(range(len(shown)), [name for name, _, _ in shown])
    axes.set_ylim(max(1, len(shown)) - 0.5, -0.5)
    axes.grid(axis="x", color=GREY, alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"{what}, {unit}J", fontsize=LABEL)
    figure.suptitle(title, fontsize=TITLE, x=0.5, y=0.985)
    return figure


def _stack(report: Mapping[str, Any], phase: str) -> dict[tuple[str, str], float]:
    """Return joules per presentation by (part, component), zeros left out."""
    sums: dict[tuple[str, str], float] = {}
    for row in report["rows"]:
        if row["phase"] == phase and row["energy_j"]:
            key = (row["kind"], row["component"])
            sums[key] = sums.get(key, 0.0) + row["energy_j"]
    return {key: joules / report["phases"][phase]["presentations"] for key, joules in sums.items()}


def _each(report: Mapping[str, Any], phase: str, energy: Mapping[str, float]) -> dict[str, float]:
    return {key: joules / report["phases"][phase]["presentations"] for key, joules in energy.items()}


def _caption(report: Mapping[str, Any]) -> str:
    supply = "" if report["vdd"] is None else f", {report['vdd']:g} V"
    return (
        f"{report['device']}, {report['node_nm']:g} nm{supply}; tick {report['tick_s']:g} s. Bars: low and high bounds "
        f"of every constant together. Weakest evidence: {report['weakest_evidence']}. "
        f"{len(report['not_modelled'])} things are not modelled."
    )


def _unit(largest: float) -> tuple[str, float]:
    """Return the SI prefix in which ``largest`` reads well, and the factor to it."""
    exponent = 3 * floor(log10(largest) / 3) if largest > 0 else 0
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return _PREFIXES[exponent], 10.0**-exponent

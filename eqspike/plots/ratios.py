"""Ratios of energies as a figure: how much an opponent needs for each joule of a spiking network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eqspike.plots.style import BLACK, BLUE, GREEN, GREY, LABEL, ORANGE, TICK, TITLE, new_figure

_ROW_IN, _NAMES_IN, _PANEL_IN = 0.5, 3.2, 3.0
_PANELS = {"inference": "per inference", "training_sample": "per training sample"}
_CLAIMED = {"inference": "inference", "training_sample": "training"}


def draw_ratios(found: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the figure of opponents' energies over those of spiking networks, one row an opponent and chip.

    Parameters
    ----------
    found : documents of :meth:`eqspike.costing.compare.Comparisons.to_dict`, one a run.
    """
    rows = [(document, one) for document in found for one in document["comparisons"]]
    claim = found[0]["published_claim"]
    caption = (
        "Energy of the opponent over that of the spiking network, with the band of all constants; those that both "
        "share move together. Right of the line the spiking network needs less. Green: so does the whole band, orange: "
        f"none of it, grey: the band holds 1. Diamond: published claim ({claim['source']}), beside the "
        "opponents that it is about."
    )
    width = _NAMES_IN + len(_PANELS) * (_PANEL_IN + 0.3)
    figure, panels = new_figure(width, 0.6 + _ROW_IN * len(rows), panels=len(_PANELS), caption=caption)
    for k, (axes, quantity) in enumerate(zip(panels, _PANELS, strict=True)):
        place = axes.get_position()
        left = (_NAMES_IN + k * (_PANEL_IN + 0.3)) / width
        axes.set_position([left, place.y0, _PANEL_IN / width, place.height])
        _panel(axes, rows, quantity, claim)
    panels[0].set_yticks(range(len(rows)), [_name(one) for _, one in rows], fontsize=TICK)
    panels[1].set_yticks(range(len(rows)), [""] * len(rows))
    return figure


def _panel(axes: Axes, rows: Sequence[tuple[Mapping, Mapping]], quantity: str, claim: Mapping[str, Any]) -> None:
    for row, (_, one) in enumerate(rows):
        gain = one["ratios"][quantity]
        if gain is None:
            middle = {"ha": "center", "va": "center", "transform": axes.get_yaxis_transform(), "zorder": 3}
            behind = {"facecolor": "white", "edgecolor": "none"}
            axes.text(0.5, row, "not priced", color=GREY, fontsize=TICK, bbox=behind, **middle)
            continue
        colour = GREEN if gain["low"] > 1 else ORANGE if gain["high"] < 1 else GREY
        low = max(gain["low"], gain["value"] * 1e-6)
        axes.errorbar(gain["value"], row, xerr=[[gain["value"] - low], [gain["high"] - gain["value"]]], fmt="o",
                      color=colour, capsize=4, markersize=6, elinewidth=1.6)  # fmt: skip
        if one["opponent_chip"].startswith("gpu"):
            axes.plot(claim[_CLAIMED[quantity]], row, "D", color=BLUE, markersize=5, markerfacecolor="none")
    axes.axvline(1, color=BLACK, linewidth=1)
    axes.set_xscale("log")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", color=GREY, alpha=0.25)
    axes.set_xlabel("opponent's energy / its own", fontsize=LABEL)
    axes.set_title(_PANELS[quantity], fontsize=TITLE, loc="left")


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['name']} on {one['chip']}\nagainst {one['opponent']} on {one['opponent_chip']}"

"""Inside a network: the spikes of one presentation, rates of its neurons, weights as pictures and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import ceil

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from eqspike.plots.style import BLACK, BLUE, GREY, LABEL, ORANGE, PALETTE, TICK, new_figure

SHOWN = 100  # neurons of a layer in a raster
PICTURES = 40  # neurons whose weights are shown as pictures
_ACROSS, _BINS = 8, 40
_PANEL_IN = 1.5
_FIGURE_IN = 4.4
_SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#FFFFFF", ORANGE])


def draw_sample(spikes: Sequence[tuple[str, int, np.ndarray, np.ndarray]], ticks: int, nudged_from: int) -> Figure:
    """Return the raster of one presentation, layer above layer, its nudged phase behind a line.

    Parameters
    ----------
    spikes : of each layer: name, neurons, ticks and neurons of its spikes.
    ticks : of the presentation.
    nudged_from : the tick at which the nudged phase begins; ``ticks`` where there is none.
    """
    figure, (axes,) = new_figure(_FIGURE_IN, 3.2)
    row, places, names = 0, [], []
    for colour, (name, size, when, who) in zip(cycle(PALETTE), spikes, strict=False):
        shown = min(size, SHOWN)
        high = max(shown, SHOWN // 3)  # a layer of few neurons is drawn as high as a third of a large one
        seen = who < shown
        mark = 1.6 if shown > 30 else 5
        axes.plot(
            when[seen], row + (who[seen] + 0.5) * high / shown, "." if shown > 30 else "|", color=colour,
            markersize=mark, markeredgewidth=0.8, linestyle="", rasterized=True,
        )  # fmt: skip
        places.append(row + high / 2)
        names.append(name)
        axes.axhline(row + high + SHOWN // 24, color=GREY, linewidth=0.6, alpha=0.6)
        row += high + SHOWN // 12
    if nudged_from < ticks:
        axes.axvline(nudged_from, color=BLACK, linewidth=1.0, linestyle="--")
        for at, said in ((nudged_from / 2, "free"), ((nudged_from + ticks) / 2, "nudged")):
            axes.text(at, row, said, ha="center", va="bottom", fontsize=TICK)
    axes.set_xlim(-0.5, ticks)
    axes.set_ylim(-2, row)
    axes.set_yticks(places, names, rotation=90, va="center", fontsize=TICK, parse_math=False)
    axes.set_xlabel("tick of the presentation", fontsize=LABEL)
    return figure


def draw_rates(rates: Mapping[str, np.ndarray], what: str) -> Figure:
    """Return one histogram a layer of how much its neurons do in a presentation.

    Parameters
    ----------
    rates : (n,) a neuron's mean count a presentation, by layer.
    what : the counted thing, for the axis.
    """
    figure, panels = _rows(len(rates))
    for axes, (name, values), colour in zip(panels, rates.items(), cycle(PALETTE), strict=False):
        axes.hist(values, bins=_BINS if len(values) > _BINS else 10, color=colour)
        axes.axvline(values.mean(), color=BLACK, linewidth=1.0, linestyle="--")
        axes.set_ylabel("neurons", fontsize=LABEL)
        axes.set_title(f"{name}: mean {values.mean():.3g}", fontsize=LABEL, loc="left", parse_math=False)
    panels[-1].set_xlabel(f"{what} of a neuron and presentation", fontsize=LABEL)
    return figure


def draw_weights(weights: Mapping[str, np.ndarray]) -> Figure:
    """Return one histogram a projection of its weights."""
    figure, panels = _rows(len(weights))
    for axes, (name, values) in zip(panels, weights.items(), strict=True):
        axes.hist(values.ravel(), bins=2 * _BINS, color=BLUE, log=True)
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.axvline(0, color=GREY, linewidth=1.0)
        axes.set_ylabel("weights", fontsize=LABEL)
        axes.set_title(name, fontsize=LABEL, loc="left", parse_math=False)
    panels[-1].set_xlabel("weight", fontsize=LABEL)
    return figure


def draw_fields(pictures: np.ndarray) -> Figure:
    """Return weights of many neurons as pictures: blue negative, orange positive, each scaled by its own largest.

    Parameters
    ----------
    pictures : (n, height, width).
    """
    shown = pictures[:PICTURES]
    across = min(_ACROSS, len(shown))
    down = ceil(len(shown) / across)
    side = _FIGURE_IN / _ACROSS
    figure = Figure(figsize=(across * side, down * side), dpi=160, facecolor="white")
    for place, picture in enumerate(shown):
        row, column = divmod(place, across)
        axes = figure.add_axes((column / across, 1 - (row + 1) / down, 0.94 / across, 0.94 / down))
        largest = np.abs(picture).max() or 1.0
        axes.imshow(picture, cmap=_SIGNED, vmin=-largest, vmax=largest, interpolation="nearest")
        axes.set_axis_off()
    return figure


def _rows(panels: int) -> tuple[Figure, list]:
    """Return panels one above the other."""
    between, below = 0.66, 0.62
    height = below + panels * (_PANEL_IN + between) - between + 0.34
    figure = Figure(figsize=(_FIGURE_IN, height), dpi=160, facecolor="white")
    made = []
    for panel in range(panels):
        base = below + (panels - 1 - panel) * (_PANEL_IN + between)
        axes = figure.add_axes((0.72 / _FIGURE_IN, base / height, 1 - 0.9 / _FIGURE_IN, _PANEL_IN / height))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=TICK)
        made.append(axes)
    return figure, made

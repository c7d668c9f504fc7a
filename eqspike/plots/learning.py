"""How a run learnt and what it answers: accuracies over epochs, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eqspike.plots.style import BLUE, LABEL, ORANGE, TICK, new_figure

SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", "#9CC7E2", BLUE, "#00304D"])
_WRITTEN = 12  # classes whose counts are written into their fields
_NAMED = 30  # classes that are named
_SIDE_IN, _ROOM_IN, _LETTER_IN = 3.4, 0.5, 0.085  # of a confusion matrix, of what stands beside it


def draw_accuracies(metrics: Mapping[str, Sequence[float]]) -> Figure:
    """Return the figure of training and validation accuracy, in percent, after every epoch.

    Parameters
    ----------
    metrics : one value an epoch, as a run holds them; accuracies that are unknown are NaN.
    """
    figure, (axes,) = new_figure(4.4, 2.5)
    epochs = np.asarray(metrics["epoch"])
    for name, label, colour, mark in (
        ("train_accuracy", "training, during the epoch", ORANGE, "s"),
        ("validation_accuracy", "validation, after it", BLUE, "o"),
    ):
        values = 100 * np.asarray(metrics[name], np.float64)
        if np.any(np.isfinite(values)):
            axes.plot(epochs, values, f"-{mark}", color=colour, linewidth=1.8, markersize=4, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(epochs[0] - 0.3, epochs[-1] + 0.3)
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlabel("epoch", fontsize=LABEL)
    axes.set_ylabel("accuracy, %", fontsize=LABEL)
    axes.legend(fontsize=TICK, frameon=False, loc="lower right")
    return figure


def draw_confusion(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """Return the figure of how often each class (row) is answered as each class (column).

    Parameters
    ----------
    counts : (n_classes, n_classes) samples.
    names : of the classes.
    """
    n = len(counts)
    room = _ROOM_IN + _LETTER_IN * (max(map(len, names)) if n <= _NAMED else 0)
    width, height = room + _SIDE_IN + 0.15, room + _SIDE_IN + 0.15
    figure = Figure(figsize=(width, height), dpi=160, facecolor="white")
    axes = figure.add_axes((room / width, room / height, _SIDE_IN / width, _SIDE_IN / height))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, interpolation="nearest")
    if n <= _WRITTEN:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            said = f"{counts[row, column]}"
            axes.text(column, row, said, ha="center", va="center", fontsize=TICK - 1, color=colour)
    if n <= _NAMED:
        flat = max(map(len, names)) <= 2
        axes.set_xticks(range(n), names, fontsize=TICK, rotation=0 if flat else 90, parse_math=False)
        axes.set_yticks(range(n), names, fontsize=TICK, parse_math=False)
    axes.set_xlabel("answer", fontsize=LABEL)
    axes.set_ylabel("label", fontsize=LABEL)
    return figure

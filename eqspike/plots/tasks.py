"""Tasks learnt one after the other as figures: what is left of each, and what metaplasticity does for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from eqspike.plots.style import BLUE, GREY, LABEL, PALETTE, TICK, TITLE, new_figure


def draw_accuracies(runs: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Return the figure of validation accuracies after every epoch, one panel a run and one line a task.

    Parameters
    ----------
    runs : by title, the accuracies (n_epochs, n_tasks) of a run whose tasks have equally many epochs.
    names : of the tasks.
    """
    caption = (
        "Share of each task's validation samples answered rightly after every epoch, also of tasks past and to come; "
        "dotted: the next task begins. The classes share their outputs."
    )
    figure, panels = new_figure(1.4 + 4.2 * len(runs), 3.4, panels=len(runs), caption=caption)
    for axes, (title, table) in zip(panels, runs.items(), strict=True):
        epochs, tasks = table.shape
        for task, colour in zip(range(tasks), PALETTE * tasks, strict=False):
            axes.plot(np.arange(1, epochs + 1), 100 * table[:, task], color=colour, linewidth=1.8, label=names[task])
        for border in range(1, tasks):
            axes.axvline(border * epochs // tasks + 0.5, color=GREY, linestyle=":")
        axes.set_ylim(0, 101)
        axes.set_xlabel("epoch", fontsize=LABEL)
        axes.set_ylabel("validation accuracy, %", fontsize=LABEL)
        axes.set_title(title, fontsize=TITLE, loc="left")
    panels[-1].legend(fontsize=TICK, frameon=False, loc="lower right")
    return figure


def draw_strengths(accuracies: Mapping[float, Sequence[float]], title: str = "") -> Figure:
    """Return the figure of mean accuracy over tasks against the metaplasticity m, with its spread over seeds.

    Parameters
    ----------
    accuracies : by m, one mean over tasks a seed.
    """
    caption = "Grey: one run each, its mean over the tasks. Blue: mean and sample standard deviation over seeds."
    figure, (axes,) = new_figure(6.0, 3.4, caption=caption)
    strengths = sorted(accuracies)
    for m in strengths:
        values = 100 * np.array(accuracies[m])
        axes.plot(np.full(len(values), m), values, "o", color=GREY, markersize=4, zorder=2)
    values = [100 * np.array(accuracies[m]) for m in strengths]
    spreads = [seeds.std(ddof=1) if len(seeds) > 1 else 0.0 for seeds in values]
    means = [seeds.mean() for seeds in values]
    axes.errorbar(strengths, means, yerr=spreads, fmt="s-", color=BLUE, capsize=4, markersize=6, zorder=3)
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.set_xlabel("metaplasticity m", fontsize=LABEL)
    axes.set_ylabel("test accuracy, mean over tasks, %", fontsize=LABEL)
    axes.set_title(title, fontsize=TITLE, loc="left")
    return figure

"""Spikes of a simulation: a raster of some neurons of every layer, and the layers' rates over time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from eqspike.plots.style import LABEL, PALETTE, TITLE, new_figure

SHOWN = 100  # neurons of a layer in the raster
MOST = 60_000  # dots
BINS, SPIKES_A_BIN = 200, 25


def draw_raster(
    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    sizes: Mapping[str, int],
    duration_s: float,
    *,
    title: str,
) -> Figure:
    """Return a figure of the spikes of the last second at most, and of rates over the whole run.

    Parameters
    ----------
    spikes : times (s) and neurons by layer.
    sizes : neurons of each layer.
    duration_s : emulated time.
    """
    begin = max(0.0, duration_s - 1.0)
    figure, (raster, rates) = new_figure(9.0, 4.2, panels=2, caption=_caption(sizes, begin, duration_s))
    row, places, names = 0, [], []
    for colour, (name, (t, i)) in zip(cycle(PALETTE), spikes.items(), strict=False):
        shown = min(sizes[name], SHOWN)
        seen = np.flatnonzero((i < shown) & (t >= begin))[-MOST:]
        marks = {"marker": "|" if shown < 10 else ".", "markersize": 8 if shown < 10 else 1.8, "markeredgewidth": 0.8}
        raster.plot(t[seen], row + i[seen], linestyle="", color=colour, rasterized=True, **marks)
        places.append(row + shown / 2)
        names.append(name)
        row += shown + max(2, SHOWN // 20)
        bins = int(np.clip(len(t) / SPIKES_A_BIN, 10, BINS))  # so many that chance does not rule the curve
        edges = np.linspace(0, duration_s, bins + 1)
        heights = np.histogram(t, edges)[0] / (sizes[name] * duration_s / bins)
        rates.plot((edges[1:] + edges[:-1]) / 2, heights, color=colour, linewidth=1.0, label=name)
    raster.set_yticks(places, names)
    raster.set_xlim(begin, duration_s)
    raster.set_ylim(-1, row)
    raster.set_xlabel("time (s)", fontsize=LABEL)
    raster.set_title(title, fontsize=TITLE, loc="left", pad=8)
    rates.set_xlim(0, duration_s)
    rates.set_ylim(bottom=0)
    rates.set_xlabel("time (s)", fontsize=LABEL)
    rates.set_ylabel("spikes of a neuron and second", fontsize=LABEL)
    rates.legend(frameon=False, fontsize=LABEL - 1)
    return figure


def _caption(sizes: Mapping[str, int], begin: float, duration_s: float) -> str:
    few = [f"{min(n, SHOWN):,} of {n:,} in {name}" for name, n in sizes.items()]
    return (
        f"Left: spikes from {begin:.3g} to {duration_s:.3g} s, neurons {', '.join(few)}. "
        f"Right: rate of every layer, in bins of {1e3 * duration_s / BINS:.3g} ms, wider for layers of few spikes."
    )

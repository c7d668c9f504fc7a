"""Where the windows of several rate estimators cross zero, against the lags of the estimators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from eqspike.analysis.statistics import Z_95
from eqspike.analysis.window import StdpWindow, closed_form_zero
from eqspike.plots.style import BLUE, CAPTION, GREY, LABEL, ORANGE, TITLE, new_figure

_CAPTION = (
    "The window of the ensemble of rate ramps crosses zero about as long before coincidence as the estimate of the "
    "rate's slope is late; 95 % bars over trials. On the line both are equal; the closed form leaves it where the lag "
    "is no longer short against the ramps. Times in the labels are in ms."
)


def draw_lags(names: Sequence[str], windows: Sequence[StdpWindow]) -> Figure:
    """Return the figure: a point for each window that crosses zero once, labelled with the estimator's name.

    Beside it lies what the closed form of the window says.
    """
    figure, (axes,) = new_figure(7.4, 4.1, caption=_CAPTION)
    kept = [(name, window) for name, window in zip(names, windows, strict=True) if window.crossing]
    lag = np.array([1e3 * window.lag_s for _, window in kept])
    early = np.array([-1e3 * window.crossing.difference_s for _, window in kept])
    error = np.array([1e3 * Z_95 * window.crossing.standard_error_s for _, window in kept])
    reach = 1.1 * max(lag.max(), (early + error).max())
    axes.plot([0, reach], [0, reach], "-", color=GREY, lw=1.2, zorder=0, label="crossing = −lag")
    theory = np.array([-1e3 * closed_form_zero(window) for _, window in kept])
    axes.plot(lag, theory, "_", color=ORANGE, ms=13, mew=2, label="closed form", zorder=2)
    axes.errorbar(lag, early, error, fmt="o", color=BLUE, ms=5, capsize=2.5, lw=1.2, label="measured, 95 %")
    for place, ((name, _), x, y) in enumerate(zip(kept, lag, early, strict=True)):
        below = place % 2 == 0 and y > 0.1 * reach
        offset, side = ((7, -11), "left") if below else ((-7, 8), "right") if y > 0.1 * reach else ((7, 5), "left")
        axes.annotate(name, (x, y), xytext=offset, textcoords="offset points", fontsize=CAPTION - 1, ha=side)
    axes.set_xlim(0, reach)
    axes.set_ylim(0, reach)
    axes.set_xlabel("lag of the estimator  (ms)", fontsize=LABEL)
    axes.set_ylabel("zero crossing before coincidence  (ms)", fontsize=LABEL)
    axes.set_title("The estimator's lag shifts the window", fontsize=TITLE, loc="left")
    axes.legend(fontsize=CAPTION, frameon=False, loc="upper left")
    return figure

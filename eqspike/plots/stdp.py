"""Windows of spike-timing-dependent plasticity as figures: weight change against t_post - t_pre."""

from __future__ import annotations

from os import PathLike

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eqspike.analysis.stdp_protocols import ProtocolResult
from eqspike.analysis.stdp_training import TrainingWindows
from eqspike.analysis.window import Curve, StdpWindow, spoken, time_unit
from eqspike.plots.stdp_protocols import describe_fit, draw_measured, draw_protocol
from eqspike.plots.style import (
    BLACK,
    BLUE,
    CAPTION,
    GREEN,
    GREY,
    LABEL,
    ORANGE,
    PURPLE,
    SKY,
    TICK,
    TITLE,
    new_figure,
    power_of_ten,
    save_figure,
    superscript,
)

_TITLES = {
    "isolated_pair": "An isolated pair of spikes",
    "rate_ramp": "Pairs of spikes while the postsynaptic rate ramps",
    "during_training": "Pairs of spikes during training",
}
_CONDITION_COLOURS = (BLUE, ORANGE, SKY, PURPLE)


def draw(window: StdpWindow | TrainingWindows | ProtocolResult) -> Figure:
    """Return the figure of a window.

    Single pairs are light dots behind the mean with its 95 % confidence band; closed forms and pair-based STDP, scaled
    to the same height, are lines; the zero crossing is marked; the equation and the caption stand under the axes.
    """
    if isinstance(window, ProtocolResult):
        return draw_protocol(window)
    return _draw_training(window) if isinstance(window, TrainingWindows) else _draw_window(window)


def save(
    window: StdpWindow | TrainingWindows | ProtocolResult, path: str | PathLike, *, overwrite: bool = False
) -> None:
    """Draw a window into a PNG, SVG or PDF file.

    Raises
    ------
    OutputError : an unknown suffix, the file exists and ``overwrite`` is false, no space, no permission.
    """
    save_figure(draw(window), path, overwrite=overwrite)


def _draw_window(window: StdpWindow) -> Figure:
    found = window.measured
    caption = window.caption if found is None else f"{window.caption} {describe_fit(found)}"
    figure, (axes,) = new_figure(7.4, 4.1, caption=caption, equation=window.equation)
    drawn = [window.closed_form, window.curve("exact_slope")]
    low, high = window.band
    peak = _largest(low, high, *(curve.values for curve in drawn if curve))
    if found is not None and found.factor:
        peak = max(peak, 1.2 * _largest(found.measured.change / found.factor))
    scale = _Scale(window, peak)
    single = not np.any(window.standard_error > 0)
    limit = 1.25 * peak if single else 1.9 * peak
    _cross(axes)
    if not single:
        _draw_points(axes, scale, window, GREY)
    if window.reference:
        _draw_reference(axes, scale, window.reference, peak)
    for curve, style in zip(drawn, ((ORANGE, "-"), (GREEN, "--")), strict=True):
        if curve:
            axes.plot(*scale(curve.difference_s, curve.values), style[1], color=style[0], lw=1.6, label=curve.label)
    _draw_mean(axes, scale, window, BLUE, "replayed pairs" if single else "mean, 95 % band")
    if found is not None and found.factor:
        x, power = found.measured.coordinates["difference_s"] * scale.per_second, scale.factor / found.factor
        draw_measured(axes, x, found, power, label="measured")
    if window.crossing:
        _mark_crossing(axes, scale, window, limit)
    _finish(axes, scale, window, limit)
    axes.set_title(f"{_TITLES[window.protocol]}, {window.rule}", fontsize=TITLE, loc="left")
    _legend(axes)
    return figure


def _draw_training(windows: TrainingWindows) -> Figure:
    everything = windows.all_pairs
    figure, (left, right) = new_figure(10.4, 3.9, panels=2, caption=everything.caption, equation=everything.equation)
    for axes, group in ((left, windows.conditions), (right, windows.centred)):
        peak = _largest(*(end for window in group for end in window.band))
        scale = _Scale(everything, peak)
        limit = 2.3 * peak  # leaves room for the legend above the bands
        _cross(axes)
        for window, colour in zip(group, _CONDITION_COLOURS, strict=True):
            _draw_points(axes, scale, window, colour)
        if axes is right and everything.reference:
            _draw_reference(axes, scale, everything.reference, peak)
        for window, colour in zip(group, _CONDITION_COLOURS, strict=True):
            _draw_mean(axes, scale, window, colour, window.label)
        if axes is left:
            _draw_mean(axes, scale, everything, BLACK, "all pairs, no conditions")
        _finish(axes, scale, everything, limit)
        _legend(axes)
    left.set_title("Means by condition", fontsize=TITLE, loc="left")
    right.set_title("The same less the mean of each condition", fontsize=TITLE, loc="left")
    return figure


class _Scale:
    """From seconds and weight changes to the units of the axes."""

    def __init__(self, window: StdpWindow, peak: float) -> None:
        self.per_second, self.time = time_unit(float(np.abs(window.difference_s).max()))
        self.exponent = power_of_ten(peak)
        self.factor = 10.0**-self.exponent
        unit = "" if window.unit == "weight" else f" {window.unit}"
        self.label = f"weight change ΔW  ({superscript(self.exponent)}{unit})" if self.exponent else "weight change ΔW"
        if not self.exponent and unit:
            self.label += f"  ({unit.strip()})"

    def __call__(self, difference_s: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return difference_s * self.per_second, change * self.factor


def _cross(axes: Axes) -> None:
    axes.axhline(0, color=GREY, lw=0.8, zorder=0)
    axes.axvline(0, color=GREY, lw=0.8, zorder=0)


def _draw_points(axes: Axes, scale: _Scale, window: StdpWindow, colour: str) -> None:
    x, y = scale(window.points_s, window.points)
    axes.plot(x, y, ".", color=colour, ms=3, alpha=0.22, mew=0, zorder=1, rasterized=True)


def _draw_mean(axes: Axes, scale: _Scale, window: StdpWindow, colour: str, label: str) -> None:
    x, mean = scale(window.difference_s, window.mean)
    _, low = scale(window.difference_s, window.band[0])
    _, high = scale(window.difference_s, window.band[1])
    if np.any(window.standard_error > 0):
        axes.fill_between(x, low, high, color=colour, alpha=0.25, lw=0, zorder=3)
        axes.plot(x, mean, "-o", color=colour, lw=1.8, ms=4, label=label, zorder=4)
    else:
        axes.plot(x, mean, "o", color=colour, ms=3, label=label, zorder=4)


def _draw_reference(axes: Axes, scale: _Scale, curve: Curve, peak: float) -> None:
    factor = peak / np.abs(curve.values).max()
    x, y = scale(curve.difference_s, curve.values * factor)
    broken = np.where(x == 0, np.nan, y)
    axes.plot(x, broken, ":", color=PURPLE, lw=1.8, label=f"{curve.label} (scaled)", zorder=2)


def _mark_crossing(axes: Axes, scale: _Scale, window: StdpWindow, limit: float) -> None:
    at, error = window.crossing.difference_s, window.crossing.standard_error_s
    text = f"crosses zero at {at * scale.per_second:.0f} ± {error * scale.per_second:.1g} {scale.time}"
    if window.lag_s:
        text += f"\n(estimator's lag {spoken(window.lag_s)})"
    axes.axvline(at * scale.per_second, color=BLUE, lw=1.0, ls=(0, (2, 2)), zorder=2)
    axes.annotate(
        text, (at * scale.per_second, -0.97 * limit * scale.factor), xytext=(5, 2), textcoords="offset points",
        fontsize=TICK, color=BLUE, va="bottom",
    )  # fmt: skip


def _finish(axes: Axes, scale: _Scale, window: StdpWindow, limit: float) -> None:
    reach = 1.05 * float(np.abs(window.difference_s).max()) * scale.per_second
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-limit * scale.factor, limit * scale.factor)
    axes.set_xlabel(f"t_post − t_pre  ({scale.time})", fontsize=LABEL)
    axes.set_ylabel(scale.label, fontsize=LABEL)


def _legend(axes: Axes) -> None:
    axes.legend(fontsize=CAPTION, frameon=True, framealpha=0.85, edgecolor="none", loc="upper left")


def _largest(*values: np.ndarray) -> float:
    return float(np.nanmax(np.abs(np.concatenate(values))))

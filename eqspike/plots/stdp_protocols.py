"""Weight changes of whole protocols as figures, measurements with their errors beside the rule's lines."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eqspike.analysis.stdp_measured import Comparison
from eqspike.analysis.stdp_pairings import triplet_kind
from eqspike.analysis.stdp_protocols import ProtocolResult, Series
from eqspike.plots.style import (
    BLACK,
    BLUE,
    CAPTION,
    GREY,
    LABEL,
    ORANGE,
    PALETTE,
    TITLE,
    new_figure,
    power_of_ten,
    superscript,
)

_TITLES = {
    "pair": "Repeated pairs of spikes",
    "frequency": "Pairs repeated at different rates",
    "triplet": "Triplets of spikes",
}
_BAR = 0.38


def draw_protocol(result: ProtocolResult) -> Figure:
    """Return the figure of a protocol: the rule's changes as lines or bars, measurements as points with 95 % bars."""
    figure, (axes,) = new_figure(7.4, 4.1, caption=_caption(result))
    factor = 1.0 if result.measured is None else result.measured.factor
    heights = [factor * line.change for line in result.series]
    if result.measured is not None:
        heights.append(result.measured.measured.change)
    exponent = power_of_ten(float(np.abs(np.concatenate(heights)).max()))
    size = factor * 10.0**-exponent
    axes.axhline(0, color=GREY, lw=0.8, zorder=0)
    {"pair": _draw_pair, "frequency": _draw_frequency, "triplet": _draw_triplet}[result.protocol](axes, result, size)
    scaled = result.measured is not None and result.measured.factor != 1.0
    axes.set_ylabel(_ylabel("weight" if scaled else result.unit, exponent), fontsize=LABEL)
    axes.set_title(f"{_TITLES[result.protocol]}, {result.rule}", fontsize=TITLE, loc="left")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.28 * (high - low))  # room for the legend
    axes.legend(fontsize=CAPTION, frameon=True, framealpha=0.85, edgecolor="none", loc="upper left", ncols=2)
    return figure


def draw_measured(axes: Axes, x: np.ndarray, found: Comparison, power: float, colour: str = BLACK, **how) -> None:
    """Draw measurements at ``x`` with 95 % bars; their changes are multiplied by ``power``."""
    error = None if found.measured.error is None else 1.96 * found.measured.error * power
    axes.errorbar(
        x, found.measured.change * power, error, fmt="s", ms=4.5, color=colour, capsize=2.5, lw=1.1, zorder=5, **how
    )


def _draw_pair(axes: Axes, result: ProtocolResult, size: float) -> None:
    axes.axvline(0, color=GREY, lw=0.8, zorder=0)
    (line,) = result.series
    ms = 1e3 * line.coordinates["difference_s"]
    order = np.argsort(ms)
    for side in (ms[order] < 0, ms[order] > 0):  # the window breaks at zero
        axes.plot(ms[order][side], size * line.change[order][side], "-", color=BLUE, lw=1.8, label=_once(axes, line))
    if result.measured is not None:
        x = 1e3 * result.measured.measured.coordinates["difference_s"]
        draw_measured(axes, x, result.measured, _power(result, size), ORANGE, label="measured")
    axes.set_xlabel("t_post − t_pre  (ms)", fontsize=LABEL)


def _draw_frequency(axes: Axes, result: ProtocolResult, size: float) -> None:
    for k, (line, colour) in enumerate(zip(result.series, _colours(len(result.series)), strict=True)):
        rates = line.coordinates["rate_hz"]
        style = ("-", "--")[k % 2]  # where lines fall together both are seen
        axes.plot(rates, size * line.change, style, color=colour, lw=1.8, label=f"rule, {line.label}")
    if result.measured is not None:
        measured = result.measured.measured
        at = measured.coordinates["difference_s"]
        known = [line.coordinates["difference_s"][0] for line in result.series]
        for dt in np.unique(at)[::-1]:
            own = Comparison(
                type(measured)(
                    measured.origin,
                    {"rate_hz": measured.coordinates["rate_hz"][at == dt]},
                    measured.change[at == dt],
                    None if measured.error is None else measured.error[at == dt],
                ),
                result.measured.predicted[at == dt], None, None, False,
            )  # fmt: skip
            near = np.flatnonzero(np.isclose(known, dt, atol=1e-6))
            colour = _colours(len(known))[near[0]] if len(near) else BLACK
            text = f"measured, Δt = {_ms(dt)} ms"
            draw_measured(axes, own.measured.coordinates["rate_hz"], own, _power(result, size), colour, label=text)
    axes.set_xlabel("rate of the pairs  (Hz)", fontsize=LABEL)


def _draw_triplet(axes: Axes, result: ProtocolResult, size: float) -> None:
    names: list[tuple[float, float]] = []
    for line, colour in zip(result.series, (BLUE, ORANGE), strict=False):
        own = list(zip(*line.coordinates.values(), strict=True))
        x = len(names) + np.arange(len(own))
        axes.bar(x, size * line.change, 2 * _BAR, color=colour, alpha=0.75, label=f"rule, {line.label}", zorder=2)
        names += own
    if result.measured is not None:
        measured = result.measured.measured
        wanted = list(zip(*measured.coordinates.values(), strict=True))
        places = [_place(names, triplet) for triplet in wanted]
        draw_measured(axes, np.array(places), result.measured, _power(result, size), label="measured")
    axes.set_xticks(range(len(names)), [f"({_ms(a)}, {_ms(b)})" for a, b in names], fontsize=CAPTION)
    axes.set_xlabel("t_post − t_pre of the first and of the last two spikes  (ms)", fontsize=LABEL)


def _place(names: list[tuple[float, float]], triplet: tuple[float, float]) -> int:
    """Return the place of a triplet on the axis; one that was not drawn gets the next, without a bar."""
    for place, name in enumerate(names):
        if triplet_kind(*name) == triplet_kind(*triplet) and np.allclose(name, triplet, atol=1e-6):
            return place
    names.append(triplet)
    return len(names) - 1


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:+g}".replace("-", "−")


def _nudge(found: Comparison) -> str:
    return " (β < 0)" if found.scale < 0 else ""


def _power(result: ProtocolResult, size: float) -> float:
    return size / result.measured.factor


def _caption(result: ProtocolResult) -> str:
    return result.caption if result.measured is None else f"{result.caption} {describe_fit(result.measured)}"


def describe_fit(found: Comparison) -> str:
    """Return in a sentence or two how measurements and rule agree."""
    agree, sure = found.signs
    parts = [f"Points: {found.measured.origin}, with 95 % bars." if found.measured.error is not None else
             f"Points: {found.measured.origin}."]  # fmt: skip
    if found.free_scale and found.scale is not None:
        parts.append(f"The rule is scaled to the points by one factor, {found.scale:.3g}{_nudge(found)}.")
    parts.append(f"{agree} of {sure} changes that are surely not zero have the rule's sign")
    fit = f"mean squared error in units of theirs {found.chi_squared:.2g}." if found.chi_squared is not None else None
    parts[-1] += (
        f"; {fit}" if fit else f"; root mean square difference {found.rms:.2g}." if found.rms is not None else "."
    )
    return " ".join(parts)


def _once(axes: Axes, line: Series) -> str:
    label = f"rule, {line.label}"
    return "_" + label if label in axes.get_legend_handles_labels()[1] else label


def _colours(n: int) -> list[str]:
    return [PALETTE[k % (len(PALETTE) - 1)] for k in range(n)]


def _ylabel(unit: str, exponent: int) -> str:
    power = f"{superscript(exponent)} " if exponent else ""
    if unit == "weight":
        return f"relative weight change  ({power.strip()})" if power else "relative weight change"
    return f"weight change ΔW  ({power}{unit})"

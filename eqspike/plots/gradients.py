"""Agreement of rules with the true gradient as a figure: error against beta, and the angle at the recipe's own beta."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from eqspike.analysis.gradients import Agreement
from eqspike.plots.style import (
    AMBER,
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
    save_figure,
)

_DARK_GREEN = "#00563F"
_LOOKS = {
    "ep-positive": (ORANGE, "-", "o"),
    "ep-negative": (AMBER, "-", "v"),
    "ep-centered": (BLUE, "-", "s"),
    "continual": (BLACK, ":", "x"),
    "coupled-positive": (PURPLE, "--", "P"),
    "coupled-negative": (PURPLE, "--", "P"),
    "coupled-centered": (PURPLE, "--", "P"),
    "contrastive": (PURPLE, "", "*"),
    "holomorphic-1": (ORANGE, ":", "d"),
    "holomorphic-2": (SKY, ":", "d"),
    "holomorphic-4": (GREEN, "-", "D"),
    "holomorphic-8": (_DARK_GREEN, "-", "h"),
}
_OTHER = (GREEN, "-.", "p")
_LEFT, _GAP = 0.80, 2.15  # inches beside the panels


def draw(found: Sequence[Agreement], title: str = "") -> Figure:
    """Return the figure of one network's agreements, against the first of the references.

    Left: relative error against beta, one line per rule; grey lines are powers of beta; hollow marks are nudges that
    cross a kink. Right: the angle between estimate and gradient at the recipe's own beta.
    """
    rows = [row for row in found if row.reference == found[0].reference]
    figure, (left, right) = new_figure(10.6, 4.6, panels=2, caption=_caption(rows), equation=_EQUATION)
    _place(left, right)
    for row in rows:
        _draw_errors(left, row)
    _draw_powers(left, rows)
    _draw_angles(right, rows)
    left.set_title(f"Error of the gradient's estimate{f', {title}' if title else ''}", fontsize=TITLE, loc="left")
    right.set_title(f"Angle at {_betas(rows)}", fontsize=TITLE, loc="left")
    return figure


def save(found: Sequence[Agreement], path: str | PathLike, *, title: str = "", overwrite: bool = False) -> None:
    """Draw agreements into a PNG, SVG or PDF file.

    Raises
    ------
    OutputError : an unknown suffix, the file exists and ``overwrite`` is false, no space, no permission.
    """
    save_figure(draw(found, title), path, overwrite=overwrite)


_EQUATION = r"|\hat g(\beta) - \nabla C|\;/\;|\nabla C| \sim \beta^n"


def _place(left: Axes, right: Axes) -> None:
    """Make room for the names of the rules between the panels."""
    width = left.figure.get_size_inches()[0]
    bottom, height = left.get_position().y0, left.get_position().height
    share = (width - _LEFT - _GAP - 0.3) / width
    left.set_position((_LEFT / width, bottom, 0.58 * share, height))
    right.set_position((_LEFT / width + 0.58 * share + _GAP / width, bottom, 0.42 * share, height))


def _draw_errors(axes: Axes, row: Agreement) -> None:
    colour, line, mark = _look(row)
    known = [
        (beta, error, kink)
        for beta, error, kink in zip(row.betas, row.relative_errors, row.kinks_crossed, strict=True)
        if error
    ]
    if not known:
        return
    betas, errors, kinks = (np.array(part) for part in zip(*known, strict=True))
    width = 2.4 if row.own else 1.4
    axes.loglog(betas, errors, line, color=colour, lw=width, zorder=4 if row.own else 3, label=row.rule)
    for hollow, face in ((False, colour), (True, "white")):
        chosen = kinks == hollow
        axes.loglog(
            betas[chosen], errors[chosen], mark, color=colour, mfc=face, ms=7 if mark == "*" else 5, zorder=5, ls=""
        )
    if row.own and row.relative_error:
        axes.loglog([row.beta], [row.relative_error], "*", color=colour, ms=13, mec="white", mew=0.8, zorder=6, ls="")


def _draw_powers(axes: Axes, rows: Sequence[Agreement]) -> None:
    """Draw the expected power of beta beside the first line that should follow it."""
    drawn: set[int] = set()
    for row in rows:
        n, first = row.expected_slope, next((error for error in row.relative_errors if error), None)
        if n is None or n in drawn or first is None:
            continue
        drawn.add(n)
        start, end = row.betas[row.relative_errors.index(first)], row.betas[-1]
        x = np.array([start, end])
        y = 0.35 * first * (x / start) ** n
        axes.loglog(x, y, color=GREY, lw=0.9, ls=(0, (4, 3)), zorder=1)
        axes.annotate(
            f"β{str(n).translate(_RAISED) if n > 1 else ''}", (x[1], y[1]), xytext=(3, -3), textcoords="offset points",
            fontsize=TICK, color=GREY, va="top",
        )  # fmt: skip
    axes.set_xlabel("nudge β", fontsize=LABEL)
    axes.set_ylabel("relative error", fontsize=LABEL)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.06, y=0.06)


def _draw_angles(axes: Axes, rows: Sequence[Agreement]) -> None:
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places, rows, strict=True):
        colour, _, mark = _look(row)
        axes.axhline(place, color=GREY, lw=0.5, alpha=0.5, zorder=0)
        if row.angle_degrees:
            axes.plot(row.angle_degrees, place, mark, color=colour, ms=10 if row.own else 7, zorder=3)
        else:
            axes.text(0.02, place, "did not settle" if row.angle_degrees is None else "0", fontsize=CAPTION,
                      va="bottom", transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_xscale("log")
    known = np.log10([row.angle_degrees for row in rows if row.angle_degrees] or [1.0])
    axes.set_xlim(10 ** (np.floor(known.min()) - 0.2), 10 ** (np.ceil(known.max()) + 0.2))
    axes.set_yticks(places, [_label(row) for row in rows], fontsize=TICK)
    for text, row in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(_look(row)[0])
        text.set_fontweight("bold" if row.own else "normal")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("angle (degrees)", fontsize=LABEL)


def _look(row: Agreement) -> tuple[str, str, str]:
    return _LOOKS.get(row.rule, _OTHER)


def _label(row: Agreement) -> str:
    if row.slope is None:
        return f"{row.rule}, no slope"
    return f"{row.rule}, slope {row.slope + 0.0:.2f}".replace("-0.00", "0.00")


def _betas(rows: Sequence[Agreement]) -> str:
    own = next((row for row in rows if row.own), rows[0])
    return f"β = {own.beta:g}"


def _caption(rows: Sequence[Agreement]) -> str:
    own = next((row for row in rows if row.own), None)
    parts = [
        f"Estimates of the gradient over all parameters against {rows[0].reference_note}, float64, mean over "
        f"{rows[0].samples} training samples settled to rounding. The cost is the one that vanishing nudges descend: "
        "where the nudge acts outside the activation it is not the squared error."
    ]
    if own:
        parts.append(f"The network's own rule, {own.rule}, is bold; the star marks it at its own β = {own.beta:g}.")
    if any(row.rule == "contrastive" for row in rows):
        parts.append("Contrastive learning has no nudge but β = 1.")
    others = [row.rule for row in rows if row.expected_slope is None]
    if others:
        parts.append(f"No gradients even as β vanishes: {', '.join(others)}.")
    if any(any(row.kinks_crossed) for row in rows):
        parts.append("Hollow: the nudge moves a unit across a kink; slopes leave these out.")
    if not all(row.settled for row in rows):
        parts.append("Some phases did not settle and are left out.")
    return " ".join(parts)


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

"""What all figures share: colours that colour-blind readers tell apart, text under the axes, safe writing.

Figures are drawn on :class:`matplotlib.figure.Figure` objects without pyplot: nobody's backend or settings change.
"""

from __future__ import annotations

import io
import textwrap
from os import PathLike
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eqspike.core.errors import OutputError
from eqspike.recording.files import resolve_target, write_atomically

# Okabe and Ito, Color Universal Design, 2008.
BLACK, GREY = "#000000", "#8C8C8C"
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
AMBER, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, YELLOW, GREY)

TITLE, LABEL, TICK, CAPTION = 12, 11, 9.5, 9
_DPI = 160
_SUFFIXES = (".png", ".svg", ".pdf")
_LINE_IN = 0.168  # height of a line of caption
_CHARACTERS_PER_IN = 15.2  # of caption text


def new_figure(
    width_in: float, axes_height_in: float, *, panels: int = 1, caption: str = "", equation: str = ""
) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``panels`` axes side by side, an equation (LaTeX) and a wrapped caption under them."""
    lines = textwrap.wrap(caption, int((width_in - 0.6) * _CHARACTERS_PER_IN))
    equation_in = 0.5 if equation else 0.0
    below = 0.62 + equation_in + _LINE_IN * len(lines) + 0.12
    height = below + axes_height_in + 0.42
    figure = Figure(figsize=(width_in, height), dpi=_DPI, facecolor="white")
    left, right, gap = 0.85 / width_in, 1 - 0.2 / width_in, 0.85 / width_in
    each = (right - left - gap * (panels - 1)) / panels
    axes = []
    for k in range(panels):
        place = (left + k * (each + gap), below / height, each, axes_height_in / height)
        axes.append(_plain(figure.add_axes(place)))
    if equation:
        middle = (below - 0.62 - equation_in / 2) / height
        figure.text(0.5, middle, f"${equation}$", ha="center", va="center", fontsize=LABEL + 1)
    top = (below - 0.62 - equation_in) / height
    figure.text(
        0.3 / width_in, top, "\n".join(lines), ha="left", va="top", fontsize=CAPTION, linespacing=1.25, parse_math=False
    )
    return figure, axes


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TICK)
    return axes


def power_of_ten(largest: float) -> int:
    """Return the exponent that brings ``largest`` to 1 ... 10; 0 for numbers that read well as they are."""
    if not largest > 0:
        return 0
    exponent = int(f"{largest:e}".partition("e")[2])
    return 0 if -2 <= exponent <= 2 else exponent


def superscript(exponent: int) -> str:
    """Return ``10`` to the exponent as text, without LaTeX."""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def save_figure(figure: Figure, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a figure as PNG, SVG or PDF, by suffix; the same figure gives the same bytes.

    Raises
    ------
    OutputError : the suffix is none of these, the file exists and ``overwrite`` is false, no space, no permission.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise OutputError(
            f"figures are not written as '{suffix}'.", field=str(path), remedy=f"Use {', '.join(_SUFFIXES)}."
        )
    resolve_target(path, overwrite=overwrite)
    write_atomically(path, encoded(figure, suffix[1:]), overwrite=overwrite)


def encoded(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a ``png``, ``svg`` or ``pdf``; the same figure gives the same bytes."""
    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": "eqspike"}):
        figure.savefig(content, format=kind, metadata=undated)
    return content.getvalue()

"""Showing things in a notebook: objects as small cards of HTML, and progress that is redrawn in place."""

from __future__ import annotations

import sys
import time
from typing import Any

from eqspike.core.html import Markup, joined, tag

REDRAW_S = 0.25
_STYLE = Markup(
    "<style>.eqspike{font-variant-numeric:tabular-nums}.eqspike table{border-collapse:collapse;margin:.4em 0}"
    ".eqspike caption{text-align:left;font-weight:600;padding:.2em 0}.eqspike th,.eqspike td{padding:.15em .7em}"
    ".eqspike .l{text-align:left!important}.eqspike .r{text-align:right!important}.eqspike dl{margin:.3em 0}"
    ".eqspike dl div{display:flex}"
    ".eqspike dt{min-width:11em;opacity:.75}.eqspike dd{margin:0}</style>"
)


def card(title: str, *content: Any) -> Markup:
    """Return an object as a notebook shows it."""
    return tag("div", _STYLE, tag("strong", title), *content, class_="eqspike")


def running() -> bool:
    """Return whether this process is the kernel of a notebook, which shows HTML."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return getattr(shell, "kernel", None) is not None


class Live:
    """One line with a bar that is redrawn in place, a few times a second at most."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = float("-inf")

    def show(self, said: str, share: float | None = None, *, last: bool = False) -> None:
        """Draw ``said`` beside a bar that is filled to ``share``; None where that is unknown."""
        if not last and time.monotonic() - self._drawn < REDRAW_S:
            return
        self._drawn = time.monotonic()
        bar = tag("progress", said, max="1", value=None if share is None else f"{share:.4f}", aria_label="progress")
        shown = Shown(tag("div", joined([bar, " ", said])), said)
        if self._handle is None:
            from IPython.display import display

            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


class Shown:
    """HTML for a notebook, and the same in words."""

    def __init__(self, html: Markup, said: str) -> None:
        self._html, self._said = html, said

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._said

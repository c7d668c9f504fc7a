"""What a page is made of: sections, and figures that lie in the page itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal

from eqspike.core.html import Markup, tag

_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading; ``reason`` says why there is nothing to show, where there is not."""

    name: str
    title: str
    content: tuple[Any, ...] = ()
    reason: str = ""

    def html(self) -> Markup:
        """Return the section."""
        said = self.content or (tag("p", self.reason, class_="missing"),)
        heading = f"{self.name}-heading"
        return tag("section", tag("h2", self.title, id=heading), *said, id=self.name, aria_labelledby=heading)


def picture(
    figure: Any, alternative: str, caption: Any = "", *, kind: Literal["svg", "png"] = "svg", wide: bool = False
) -> Markup:
    """Return a figure in the page; a ``wide`` one keeps a legible size on a narrow screen, where it is scrolled.

    Parameters
    ----------
    figure : of matplotlib.
    alternative : what a reader who does not see it should know.
    """
    from eqspike.plots.style import encoded

    data = base64.b64encode(encoded(figure, kind)).decode("ascii")
    inches = figure.get_size_inches()
    sides = {"width": round(96 * inches[0]), "height": round(96 * inches[1])}
    image = tag("img", src=f"data:{_TYPES[kind]};base64,{data}", alt=alternative, **sides)
    if wide:
        image = scrolled(image, alternative)
    return tag("figure", image, *([tag("figcaption", caption)] if caption else []), class_="wide" if wide else None)


def scrolled(content: Markup, label: str) -> Markup:
    """Return what may be wider than the screen, to be scrolled by keyboard too."""
    return tag("div", content, class_="scrolled", role="region", aria_label=label, tabindex="0")

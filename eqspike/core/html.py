"""HTML put together from parts: every text is escaped, unless it was put together here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_VOID = ("br", "img", "link", "meta")


class Markup(str):
    """HTML that stands as it is; whatever else becomes content is escaped."""

    __slots__ = ()


def tag(element: str, /, *content: Any, **attributes: Any) -> Markup:
    """Return an element; ``class_`` is class, ``aria_label`` aria-label; attributes that are None are left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    opened = f"<{element}{given}>"
    return Markup(opened if element in _VOID else f"{opened}{joined(content)}</{element}>")


def joined(parts: Iterable[Any]) -> Markup:
    """Return parts one after the other, texts escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(str(part)) for part in parts))


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1, **attributes: Any
) -> Markup:
    """Return a table whose first cells name their rows; columns after the first ``left`` hold numbers."""
    sides = ["l" if place < left else "r" for place in range(len(columns))]
    heads = (tag("th", name, scope="col", class_=side) for name, side in zip(columns, sides, strict=True))
    head = tag("thead", tag("tr", joined(heads)))
    body = tag("tbody", joined(tag("tr", joined(_cells(row, sides))) for row in rows))
    return tag("table", tag("caption", caption), head, body, **attributes)


def _cells(row: Sequence[Any], sides: Sequence[str]) -> Iterable[Markup]:
    for place, (cell, side) in enumerate(zip(row, sides, strict=True)):
        yield tag("td", cell, class_=side) if place else tag("th", cell, scope="row", class_=side)


def facts(rows: Iterable[tuple[str, Any]], **attributes: Any) -> Markup:
    """Return names and what there is to say of each, as a description list."""
    return tag("dl", joined(tag("div", tag("dt", name), tag("dd", said)) for name, said in rows), **attributes)


def listed(items: Iterable[Any]) -> Markup:
    """Return a list with bullets."""
    return tag("ul", joined(tag("li", item) for item in items))


def folded(title: str, *content: Any, shown: bool = False) -> Markup:
    """Return what is shown once its title is opened, or until it is closed."""
    return tag("details", tag("summary", title), *content, open="" if shown else None)


def whole(number: float) -> str:
    """Return a count with its thousands apart, a mean with three digits."""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def percent(share: float | None) -> str:
    """Return a share of samples in percent, a dash where it is unknown."""
    return "-" if share is None or share != share else f"{100 * share:.2f} %"

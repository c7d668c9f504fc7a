"""How results look: one JSON document, or short tables with numbers that can be read at a glance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import typer
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from eqspike.core.units import with_bounds

NONE = "-"


def print_json(document: Mapping | list) -> None:
    """Print the one JSON document of a command; NaN and infinity, which JSON lacks, would be a bug."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def stdout() -> Console:
    """Return a console on stdout that colours words only where it is told to."""
    return Console(highlight=False)


def table(*columns: str, left: int = 1) -> Table:
    """Return a table with a head; columns after the first ``left`` hold numbers and are aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        number = place >= left
        made.add_column(column, justify="right" if number else "left", no_wrap=number or place == 0, overflow="fold")
    return made


def facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Return names and what there is to say of each, without a head."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, said in rows:
        made.add_row(name, said if isinstance(said, Text) else Text(said))
    return made


def entry(name: str, rows: Iterable[tuple[str, str | Text]]) -> Group:
    """Return one thing of a list: its name, and what there is to say of it."""
    return Group(Text(name, style="bold green"), facts(rows), "")


def bullets(title: str, notes: Iterable[str]) -> Group:
    """Return notes under a title, each with its own hanging indent."""
    made = Table.grid(padding=(0, 1))
    made.add_column()
    made.add_column(overflow="fold")
    for note in notes:
        made.add_row("-", Text(note))
    return Group(Text(title, style="bold"), made, "")


def band(energy: Mapping[str, float] | None, unit: str = "J") -> str:
    """Return value and low-high band in one prefix: 405 nJ (73-970)."""
    if energy is None:
        return NONE
    return with_bounds(energy["value"], energy["low"], energy["high"], unit)


def count(value: float | None) -> str:
    """Return a mean count: whole where it is large, with a digit or two where it is small."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def percent(share: float | None) -> str:
    """Return a share of samples in percent."""
    return NONE if share is None else f"{100 * share:.2f} %"

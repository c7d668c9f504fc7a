"""A cost report as a notebook shows it: joules of a presentation by phase and part, with their bands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from hw_models.report.band import Band
from hw_models.report.rows import PARTS

_COLUMNS = ("phase", "part", "energy of a presentation (J)", "low", "high")
_STYLE = (
    "<style>.hw-models td,.hw-models th{padding:.15em .7em;text-align:right}"
    ".hw-models th{text-align:left}.hw-models caption{text-align:left;padding:.2em 0}</style>"
)


def page(report) -> str:
    """Return the energies of ``report`` as a table, and what its reader must know as a folded list."""
    title = f"{report.workload} on {report.chip}: {report.operating_point}; tick {report.tick_s:g} s"
    notes = [*report.warnings, *report.assumptions, *(f"not modelled: {what}" for what in report.not_modelled)]
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    folded = f"<details><summary>{len(notes)} notes</summary><ul>{items}</ul></details>" if notes else ""
    return f'<div class="hw-models">{_STYLE}{_table(title, _rows(report))}{folded}</div>'


def _rows(report) -> Iterable[tuple[str, ...]]:
    for phase, size in report.phases.items():
        parts = {part: report.energy(phase, part=part) for part in PARTS if part in report.parts}
        if len(parts) == len(PARTS):
            parts["total"] = report.energy(phase)
        for part, energy in parts.items():
            yield phase, part, *_numbers(energy / size.presentations)


def _numbers(energy: Band) -> Iterable[str]:
    return (f"{joules:.3g}" for joules in (energy.value, energy.low, energy.high))


def _table(title: str, rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

"""A cost report as plain text."""

from __future__ import annotations

from hw_models.report.band import Band
from hw_models.report.rows import PARTS


def table(report) -> str:
    """Return joules by phase and component, per presentation, then what a reader must know of ``report``."""
    lines = [
        f"{report.workload} on {report.chip}: {report.operating_point}",
        f"tick {report.tick_s:g} s (set by the {report.tick_source}); weakest evidence: {report.weakest_evidence}",
        "",
        f"{'phase':<11}{'part':<11}{'component':<26}{'J / presentation':>17}{'low':>11}{'high':>11}",
    ]
    for phase, size in report.phases.items():
        for (kind, component), energy in _by_component(report.rows, phase).items():
            lines.append(f"{phase:<11}{kind:<11}{component:<26}{_columns(energy, size.presentations)}")
        lines.append(f"{phase:<11}{'total':<37}{_columns(report.energy(phase), size.presentations)}")
    for title, notes in (
        ("published operating points", tuple(map(_point, report.operating_points))),
        ("variants", tuple(f"{name}: {total.value:.4g} J in all" for name, total in report.variants.items())),
        ("assumptions", report.assumptions),
        ("warnings", report.warnings),
        ("not modelled", report.not_modelled),
    ):
        lines += ["", f"{title}:", *(f"  - {note}" for note in notes)] if notes else []
    return "\n".join(lines)


def _by_component(rows, phase: str) -> dict[tuple[str, str], Band]:
    sums: dict[tuple[str, str], Band] = {}
    for row in sorted((row for row in rows if row.phase == phase), key=lambda row: PARTS.index(row.kind)):
        key = (row.kind, row.component)
        sums[key] = sums.get(key, Band()) + row.energy
    return sums


def _columns(energy: Band, presentations: int) -> str:
    each = energy / presentations
    return f"{each.value:>17.3e}{each.low:>11.2e}{each.high:>11.2e}"


def _point(point) -> str:
    unit = "W" if point.quantity == "power_w" else "J per event"
    residual = f"{point.residual:+.1%}" if point.independent else "by construction"
    figures = f"{point.measured:.4g} {unit} published, {point.modelled:.4g} modelled ({residual})"
    return f"{point.name}: {figures}{f'; {point.note}' if point.note else ''}; {point.source}"

"""How a cost report is shown: as tables, as one document, as figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hw_models import Band, CostReport


def document(report: CostReport) -> dict[str, Any]:
    """Return what ``energy --json`` says of a report."""
    from eqspike.costing.summary import energy_summary

    phases = deciding_phases(report)
    swings = [{"constant": name, "low": low, "high": high} for name, low, high in report.tornado(*phases)]
    return {
        **energy_summary(report),
        "total_j": report.energy().to_dict(),
        "tornado": {"phases": list(phases), "constants": swings},
        "report": report.to_dict(),
    }


def deciding_phases(report: CostReport) -> tuple[str, ...]:
    """Return the phases whose energy the tornado is about: inference where there is one, else all."""
    return ("inference",) if "inference" in report.phases else tuple(report.phases)


def save_figures(report: CostReport, figure: Path | None, tornado: Path | None, *, overwrite: bool) -> None:
    """Draw the figures that were asked for."""
    if figure is None and tornado is None:
        return
    from eqspike.plots.costs import draw_components, draw_tornado
    from eqspike.plots.style import save_figure

    if figure is not None:
        save_figure(draw_components(report.to_dict()), figure, overwrite=overwrite)
    if tornado is not None:
        phases = deciding_phases(report)
        n = report.presentations(*phases)
        swings = [(name, low / n, high / n) for name, low, high in report.tornado(*phases)]
        what = f"energy per presentation ({' + '.join(phases)})"
        title = f"{report.workload} on {report.chip}: which constant decides"
        drawn = draw_tornado(swings, report.energy(*phases).value / n, what, title)
        save_figure(drawn, tornado, overwrite=overwrite)


def show(report: CostReport, notes: tuple[str, ...] = ()) -> None:
    """Print a report as tables."""
    from eqspike.cli.output import bullets, facts, stdout
    from eqspike.cli.summary import operating_point
    from eqspike.costing.summary import energy_summary

    summary = energy_summary(report)
    said = summary | {"device": report.device, "node_nm": report.node_nm, "vdd": report.vdd}
    console = stdout()
    console.print(facts([*operating_point(said)[:3], ("weakest evidence", str(report.weakest_evidence or "none"))]))
    console.print(_components(report))
    console.print(_energies(summary))
    console.print(_times(report))
    console.print(facts(_sizes(report)))
    for title, lines in (
        ("of the counts", notes),
        ("published operating points and their residuals", tuple(_points(report))),
        ("variants, all phases", tuple(_variants(report))),
        ("warnings", report.warnings),
        ("assumptions", report.assumptions),
        ("not modelled", report.not_modelled),
        ("what decides, of " + " and ".join(deciding_phases(report)), tuple(_deciding(report))),
        ("constants", tuple(_constants(report))),
    ):
        if lines:
            console.print(bullets(title, lines))


def _components(report: CostReport) -> Any:
    from eqspike.cli.output import band, table

    made = table("phase", "part", "component", "energy per sample", left=3)
    for phase in report.phases:
        for kind, component, each in _rows(report, phase):
            made.add_row(phase, kind, component, band(each))
        made.add_row(phase, "total", "", band(report.per_presentation(phase).to_dict()), style="bold", end_section=True)
    return made


def _rows(report: CostReport, phase: str) -> list[tuple[str, str, dict[str, float]]]:
    """Return (part, component, joules per presentation) of a phase, dearest first within each part."""
    from hw_models.report import PARTS, Band

    sums: dict[tuple[str, str], Band] = {}
    for row in report.rows:
        if row.phase == phase and row.energy.high > 0:
            key = (row.kind, row.component)
            sums[key] = sums.get(key, Band()) + row.energy
    ordered = sorted(sums.items(), key=lambda item: (PARTS.index(item[0][0]), -item[1].value))
    return [(*key, (total / report.phases[phase].presentations).to_dict()) for key, total in ordered]


def _energies(summary: dict[str, Any]) -> Any:
    from eqspike.cli.output import band, table

    made = table("energy", "")
    for name, key in (
        ("per inference", "energy_per_inference_j"),
        ("per training sample (free + nudged)", "energy_per_training_sample_j"),
        ("per synaptic event of inference, all parts", "energy_per_synaptic_event_j"),
        ("per synaptic event of inference, one event more", "energy_per_synaptic_event_marginal_j"),
    ):
        if summary[key] is not None:
            made.add_row(name, band(summary[key]))
    return made


def _times(report: CostReport) -> Any:
    from eqspike.cli.output import NONE, band, table
    from eqspike.core.units import engineering

    made = table("time of a sample", "on hardware", "cores busy", "set by", "energy x delay")
    for phase, time in report.latency.items():
        n, product = report.phases[phase].presentations, report.energy_delay_js(phase)
        seconds = [engineering(value / n, "s") if value else NONE for value in (time.hardware_s, time.busy_s)]
        made.add_row(phase, *seconds, time.bound_by, band(product.to_dict() if product else None, "J s"))
    return made


def _sizes(report: CostReport) -> Iterator[tuple[str, str]]:
    from eqspike.costing.verdict import times

    kilobytes = report.footprint
    if kilobytes:
        yield (
            "footprint",
            f"{kilobytes['inference_kb']:.4g} kB for inference, {kilobytes['training_kb']:.4g} for training",
        )
    if report.area_mm2 is not None:
        yield "area", f"{_plain(report.area_mm2)} mm2"
    worn = report.endurance
    if worn is not None:
        said = f"{worn.writes_per_synapse_per_sample:.3g} writes a synapse and training sample in {worn.projection}"
        if (limit := worn.samples_to_limit) is not None:
            said += f": the limit after {times(limit.value, 3)} ({times(limit.low)}-{times(limit.high)}) samples"
        yield "endurance", said
    if report.placement is not None:
        yield from _place(report.placement)


def _points(report: CostReport) -> Iterator[str]:
    """Yield each published operating point beside what the chip's constants give for it."""
    from eqspike.core.units import engineering

    for point in report.operating_points:
        unit = "W" if point.quantity == "power_w" else "J"
        measured, modelled = (engineering(value, unit) for value in (point.measured, point.modelled))
        residual = f"{100 * point.residual:+.1f} %".replace("-0.0", "0.0") if point.independent else "by construction"
        yield f"{residual}: {modelled} modelled, {measured} published; {point.name} ({point.source})"


def _variants(report: CostReport) -> Iterator[str]:
    from eqspike.cli.output import band

    for name, total in report.variants.items():
        yield f"{name}: {band(total.to_dict())}, against {band(report.energy().to_dict())}"


def _deciding(report: CostReport) -> Iterator[str]:
    """Yield the constants that move the energy most."""
    from eqspike.core.units import engineering

    phases = deciding_phases(report)
    n = report.presentations(*phases)
    for name, low, high in report.tornado(*phases)[:3]:
        if low != high:
            ends = (engineering(joules / n, "J") for joules in (low, high))
            yield f"{name}: {' at its low, '.join(ends)} at its high"


def _place(placement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where the network lies, and what its spikes travel."""
    from eqspike.cli.output import count

    held = (f"{placement[key]:,} {key if placement[key] != 1 else key[:-1]}" for key in ("cores", "chips"))
    yield "placed on", f"{' of '.join(held)}; {placement['binds']} binds first"
    travel = (count(placement[key]) for key in ("packets", "hops"))
    yield "traffic", f"{' packets and '.join(travel)} hops a presentation"


def _plain(value: Band) -> str:
    bounds = "" if value.low == value.high else f" ({value.low:.3g}-{value.high:.3g})"
    return f"{value.value:.3g}{bounds}"


def _constants(report: CostReport) -> Iterator[str]:
    """Yield each constant that the report leans on, with its band, grade and source."""
    for name, constant in report.constants.items():
        yield (
            f"{name}: {constant['value']:.3g} ({constant['low']:.3g}-{constant['high']:.3g}) {constant['unit']}, "
            f"{constant['evidence']}; {constant['source']}"
        )

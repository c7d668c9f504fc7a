"""What a run costs on a chip, and whether it fits there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eqspike.core.html import Markup, facts, folded, listed, table, tag, whole
from eqspike.core.units import engineering, with_bounds
from eqspike.report.section import Section, picture, scrolled
from eqspike.report.source import Source
from hw_models import Band, CostReport
from hw_models.errors import HardwareError

_PARTS = ("static", "dynamic", "periphery")
_TICK = {"given": "as given", "chip": "the chip's own", "workload": "the recipe's"}


def energy(source: Source) -> Section:
    """Return the energies of a presentation by phase, part and component, with their bands."""
    report = source.cost
    if isinstance(report, str):
        return Section("energy", "Energy", reason=report)
    from eqspike.plots.costs import draw_components

    totals = "; ".join(f"{phase} {_band(_each(report, phase))}" for phase in report.phases)
    point = facts(
        [
            ("chip", f"{report.chip}: {report.operating_point}"),
            ("tick", f"{engineering(report.tick_s, 's')} ({_TICK[report.tick_source]})"),
            ("weakest evidence", report.weakest_evidence or "none"),
            *((part, includes) for part, includes in report.parts.items()),
        ]
    )
    figure = picture(
        draw_components(report.to_dict()), f"Energy of a presentation by component: {totals}.", kind="png", wide=True
    )
    return Section(
        "energy", "Energy", (*_gap(source), point, figure, _phases(report), _components(report), *_notes(report))
    )


def _gap(source: Source) -> Iterable[Markup]:
    if source.unpriced:
        said = f"Inference alone is priced, for learning has no price there: {source.unpriced}"
        yield tag("p", said, class_="missing")


def _each(report: CostReport, phase: str, part: str | None = None) -> Band:
    return report.energy(phase, part=part) / report.phases[phase].presentations


def _band(energy: Band | None) -> str:
    return "-" if energy is None else with_bounds(energy.value, energy.low, energy.high, "J")


def _phases(report: CostReport) -> Markup:
    rows = [
        (
            phase,
            whole(size.presentations),
            *(_band(_each(report, phase, part)) for part in _PARTS),
            _band(_each(report, phase)),
            _band(report.per_synaptic_event(phase)),
        )
        for phase, size in report.phases.items()
    ]
    columns = ("phase", "presentations", *_PARTS, "total", "a synaptic event")
    caption = "Energy of a presentation by phase, and all of it over its synaptic events: value (low-high)"
    return scrolled(table(caption, columns, rows), "energy by phase")


def _components(report: CostReport) -> Markup:
    sums: dict[tuple[str, str, str], Band] = {}
    for row in report.rows:
        key = (row.phase, row.component, row.kind)
        sums[key] = sums.get(key, Band()) + row.energy / report.phases[row.phase].presentations
    ordered = sorted((key for key in sums if sums[key].high), key=lambda key: -sums[key].value)
    rows = [(component, phase, part, _band(sums[phase, component, part])) for phase, component, part in ordered]
    made = table("Energy of a presentation by component", ("component", "phase", "part", "energy"), rows, left=3)
    return scrolled(made, "energy by component")


def _notes(report: CostReport) -> Iterable[Markup]:
    for title, notes in (
        ("Warnings", report.warnings),
        ("Assumptions", report.assumptions),
        ("Not modelled", report.not_modelled),
        ("Sources of the constants", _sources(report)),
    ):
        if notes:
            yield folded(f"{title} ({len(notes)})", listed(notes), shown=title == "Warnings")


def _sources(report: CostReport) -> list[str]:
    return [
        f"{name}: {one['value']:.3g} ({one['low']:.3g}-{one['high']:.3g}) {one['unit']}, "
        f"{one['evidence']}; {one['source']}"
        for name, one in report.constants.items()
    ]


def fit(source: Source) -> Section:
    """Return whether the network fits the chip, on how many cores, and what binds."""
    from eqspike.costing.fit import graph_of_run
    from hw_models.mapping import judge, what_would_fit

    try:
        graph = graph_of_run(source.run)
        verdict = judge(graph, source.chip)
        remedies = () if verdict.fits else what_would_fit(graph, source.chip)
    except HardwareError as error:
        return Section("fit", "Hardware fit", reason=f"Whether it fits {source.chip.name} cannot be said: {error}")
    answer = f"{source.run.spec.name} {'fits' if verdict.fits else 'does not fit'} {source.chip.name}."
    said: list[Any] = [tag("p", tag("strong", answer)), facts(_placed(verdict.placement) if verdict.fits else [])]
    if not verdict.fits:
        said += [tag("p", "What stands in the way:"), listed(verdict.walls)]
        said += [tag("p", "Each of these would fit:"), listed(remedies)] if remedies else []
    said.append(_limits(verdict.constraints))
    if verdict.budgets:
        said.append(folded("Beyond a budget", listed(verdict.budgets)))
    if verdict.placement is not None:
        said += _drawn(verdict.placement)
    return Section("fit", "Hardware fit", tuple(said))


def _placed(placement) -> list[tuple[str, str]]:
    return [
        ("cores", f"{placement.cores:,}, placed {placement.strategy}"),
        ("binds first", placement.binds or "nothing: the chip's file states no limits"),
        ("spikes between cores", f"{whole(placement.intercore_spikes)} a presentation"),
        ("packets, hops", f"{whole(placement.packets)}, {whole(placement.hops)} a presentation"),
    ]


def _limits(constraints) -> Markup:
    if not constraints:
        return tag("p", "The chip's file states no limits.", class_="missing")
    rows = [
        (one.name.replace("_", " "), one.kind, one.where, whole(one.demand), whole(one.limit), _used(one))
        for one in constraints
    ]
    columns = ("limit", "kind", "where", "demand", "limit of the chip", "used")
    return scrolled(table("Limits of the chip", columns, rows, left=3), "limits of the chip")


def _used(one) -> str:
    return f"{one.utilisation:.1%}" if one.limit else ("-" if not one.demand else "nothing there")


def _drawn(placement) -> list[Markup]:
    from eqspike.core.errors import ConfigError
    from eqspike.plots.placement import draw

    try:
        figure = draw(placement)
    except ConfigError as error:
        return [tag("p", f"The placement is not drawn: {error.problem}", class_="missing")]
    said = f"The mesh of cores, how full each is, and the spikes over its links: {placement.cores:,} cores in use."
    return [picture(figure, said, wide=True, kind="png")]

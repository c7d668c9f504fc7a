"""``eqspike energy``: the full cost report of a run on a chip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, JsonOption, RunArgument
from eqspike.core.errors import ConfigError, RunFileError

if TYPE_CHECKING:
    from hw_models import CostReport


def energy(
    run: RunArgument,
    chip: ChipOption = DEFAULT_CHIP,
    tick_s: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Time of one hardware tick; by default the chip's, else the recipe's."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Price everything that a run counted on a chip: by phase and component, with bands, warnings and gaps."""
    from eqspike.cli.output import print_json
    from eqspike.costing.run import price
    from eqspike.costing.summary import energy_summary
    from eqspike.training.run import open_run
    from hw_models import load_chip

    load_chip(chip)
    require_tick(tick_s)
    counted = open_run(run)
    report = price(counted, chip, tick_s=tick_s)
    if not report.phases:
        raise RunFileError("the run has counted nothing yet.", field=str(run), remedy="Train it first.")
    if as_json:
        print_json({"run_file": str(run), **energy_summary(report), "report": report.to_dict()})
    else:
        _show(report)


def require_tick(tick_s: float | None) -> None:
    """Refuse a tick that is no time.

    Raises
    ------
    ConfigError
        if it is given, and not above zero or not finite.
    """
    if tick_s is not None and not 0 < tick_s < float("inf"):
        raise ConfigError(f"{tick_s} is not a time.", field="--tick-s", remedy="Give seconds above zero, such as 1e-6.")


def _show(report: CostReport) -> None:
    from eqspike.cli.output import band, bullets, facts, stdout, table
    from eqspike.cli.summary import operating_point
    from eqspike.costing.summary import energy_summary

    summary = energy_summary(report) | {"device": report.device, "node_nm": report.node_nm, "vdd": report.vdd}
    console = stdout()
    console.print(facts(operating_point(summary)[:3]))
    made = table("phase", "part", "component", "energy per sample", left=3)
    for phase in report.phases:
        for kind, component, each in _rows(report, phase):
            made.add_row(phase, kind, component, band(each))
        made.add_row(phase, "total", "", band(report.per_presentation(phase).to_dict()), style="bold", end_section=True)
    console.print(made)
    made = table("energy", "")
    for name, key in (
        ("per inference", "energy_per_inference_j"),
        ("per training sample (free + nudged)", "energy_per_training_sample_j"),
        ("per synaptic event of inference, all parts", "energy_per_synaptic_event_j"),
        ("per synaptic event of inference, one event more", "energy_per_synaptic_event_marginal_j"),
    ):
        made.add_row(name, band(summary[key]))
    console.print(made)
    for title, notes in (
        ("warnings", report.warnings),
        ("assumptions", report.assumptions),
        ("not modelled", report.not_modelled),
        ("constants", tuple(_constants(report))),
    ):
        if notes:
            console.print(bullets(title, notes))


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


def _constants(report: CostReport) -> Any:
    """Yield each constant that the report leans on, with its band, grade and source."""
    for name, constant in report.constants.items():
        yield (
            f"{name}: {constant['value']:.3g} ({constant['low']:.3g}-{constant['high']:.3g}) {constant['unit']}, "
            f"{constant['evidence']}; {constant['source']}"
        )

"""``eqspike collect``: the runs of a sweep as one tidy table, priced on any chips, with the Pareto front."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import ForceOption, JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from eqspike.sweeps.collect import Table

_SHOWN = 40  # rows in a terminal; files take all


def collect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep or a search; it may still run.")],
    chip: Annotated[
        list[str] | None,
        typer.Option("--chip", metavar="NAME|FILE.toml", help="Price on this chip, repeatable; else on the sweep's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table: .csv, or .parquet with eqspike[tables].")
    ] = None,
    pareto: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw accuracy against energy per inference (.png, .svg, .pdf)."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Collect finished runs into one table: a row for each run and chip, priced from its counts, nothing run again.

    Fields that vary come first, then metrics, totals of the ledger, energies in joules with their bands, and what all
    runs share. With --json the document holds runs, done, failed, missing, damaged, varied, columns, out, pareto, front
    by chip, and the rows where there is no --out.
    """
    from eqspike.recording import check_output
    from eqspike.sweeps import tables
    from eqspike.sweeps.collect import collect as collect_runs
    from eqspike.sweeps.pareto import Gathering, marked

    for path in (out, pareto):
        if path is not None:
            check_output(path, overwrite=force)
    if out is not None:
        tables.table_suffix(out)
    table = collect_runs(folder, list(dict.fromkeys(chip)) if chip else None)
    if pareto is not None and not table.prices:
        raise ConfigError("accuracy against which energy?", field="--pareto", remedy="Name a chip with --chip.")
    accuracy = "test_accuracy" if "test_accuracy" in table.columns else "validation_accuracy"  # of a search
    gathering = Gathering(table.varied, accuracy=accuracy)
    rows = gathering.through(table)
    if out is not None:
        tables.write_table(rows, table.kinds, out, overwrite=force)
    elif as_json:
        _print_rows(rows)
    else:
        _show_rows(table, rows, accuracy)
    found = {chip: marked(points) for chip, points in gathering.points().items()}
    if pareto is not None:
        _draw(found, accuracy, pareto, force)
    said = _facts(table) | {"out": out and str(out), "pareto": pareto and str(pareto), "front": _front(found)}
    if as_json:
        text = json.dumps(said, indent=2, allow_nan=False)
        typer.echo(text if out is not None else text.removeprefix("{\n"))
    else:
        _show(said)


def _facts(table: Table) -> dict[str, Any]:
    names = ("runs", "done", "failed", "missing", "damaged", "varied", "columns")
    return {"folder": str(table.folder)} | {name: getattr(table, name) for name in names}


def _front(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {chip: [point for point in points if point["front"]] for chip, points in found.items()}


def _draw(found: Mapping[str, list[dict[str, Any]]], accuracy: str, path: Path, force: bool) -> None:
    from eqspike.plots import pareto
    from eqspike.plots.style import save_figure

    panels = {chip: {"runs": points} for chip, points in found.items()}
    save_figure(pareto.draw(panels, accuracy=accuracy.replace("_", " ")), path, overwrite=force)


def _print_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """Begin the document with its rows, one at a time: there may be very many."""
    typer.echo('{\n  "rows": [', nl=False)
    for number, row in enumerate(rows):
        typer.echo(f"{',' if number else ''}\n    {json.dumps(row, allow_nan=False)}", nl=False)
    typer.echo("\n  ],")


def _show_rows(table: Table, rows: Iterable[Mapping[str, Any]], accuracy: str) -> None:
    from eqspike.cli.output import band, percent, stdout
    from eqspike.cli.output import table as new_table
    from eqspike.sweeps.pareto import chip_of, label
    from eqspike.sweeps.store import FAILED

    made = new_table("settings", "chip", accuracy.partition("_")[0], "energy per inference", left=2)
    made.columns[0].no_wrap = False
    left_out = 0
    for number, row in enumerate(rows):
        if number >= _SHOWN:
            left_out += 1
            continue
        settings = label({name: row[name] for name in table.varied if row[name] is not None})
        metrics = ["failed", ""] if row["status"] == FAILED else [percent(row.get(accuracy)), band(_energy(row))]
        made.add_row(settings or row["id"], chip_of(row) if row.get("chip") else "", *metrics)
    stdout().print(made)
    if left_out:
        stdout().print(f"{left_out} more rows: write them all with --out FILE.csv.", style="dim")


def _show(said: Mapping[str, Any]) -> None:
    from eqspike.cli.output import band, bullets, percent, stdout

    console = stdout()
    for chip, points in said["front"].items():
        lines = (f"{point['label']}: {percent(point['accuracy'])}, {band(point['energy_j'])}" for point in points)
        console.print(bullets(f"on {chip}, none is better and needs less than", lines))
    states = {name: said[name] for name in ("done", "failed", "missing", "damaged") if said[name]}
    console.print(", ".join(f"{number} {name}" for name, number in states.items()) or "no run yet", style="dim")
    for name, what in (("out", "table"), ("pareto", "figure")):
        if said[name]:
            console.print(f"{what}: {said[name]}", style="dim", soft_wrap=True)


def _energy(row: Mapping[str, Any]) -> dict[str, float] | None:
    columns = {"value": "", "low": "_low", "high": "_high"}
    energy = {end: row.get(f"energy_per_inference{column}_j") for end, column in columns.items()}
    return energy if energy["value"] is not None else None

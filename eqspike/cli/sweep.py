"""``eqspike sweep``: many runs of one recipe, on this machine, in a batch array or on a Dask cluster."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import JsonOption

if TYPE_CHECKING:
    from eqspike.sweeps.state import SweepResult

SHOWN = 20
_SHOWN_RESULTS = ("test_accuracy", "validation_accuracy")


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="SWEEP.toml", help="recipe = ..., then tables [grid], [list], [random].")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Processes of this machine that train at the same time.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A running Dask scheduler, whose workers train instead.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only this share of the runs: for the tasks of a batch array.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The sweep's folder; by default sweeps/NAME of the file.")
    ] = None,
    retries: Annotated[int, typer.Option(min=0, help="Further attempts for a run that fails or is lost.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="More than 10,000 runs are meant.")] = False,
    warm: Annotated[
        bool, typer.Option("--warm", help="Check everything and compile once, before an array starts; run nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a grid, list or random design; the same command goes on after whatever stopped it.

    Finished runs are skipped. A run that fails is recorded with its reason and stops no other; the exit code is then 1.
    With --json the document holds runs, done, failed, skipped, seconds and table: a row per run.
    """
    from eqspike.cli.sweep_progress import SweepMonitor
    from eqspike.core.errors import ConfigError
    from eqspike.sweeps import runner

    if scheduler is not None and workers != 1:
        raise ConfigError(
            "a Dask cluster has workers of its own.", field="--workers", remedy="Leave it out, or leave --scheduler."
        )
    if warm:
        runner.warm(file, yes=yes)
        typer.echo("the sweep is sound and its kernels are compiled.", err=True)
        return
    with SweepMonitor() as monitor:
        result = runner.sweep(
            file,
            out=out or runner.default_folder(file),
            workers=workers,
            scheduler=scheduler,
            shard=shard,
            retries=retries,
            yes=yes,
            on_progress=monitor,
        )
    if as_json:
        _print_json(result)
    else:
        _show(result)
    _tell_failures(result)


def _print_json(result: SweepResult) -> None:
    """Print the one document, its table row by row: a sweep may have more rows than fit into memory."""
    names = ("runs", "done", "failed", "skipped")
    head = {name: getattr(result, name) for name in names} | {"seconds": round(result.seconds, 3)}
    typer.echo(json.dumps({**head, "folder": str(result.folder)})[:-1] + ', "table": [', nl=False)
    for place, row in enumerate(result.rows()):
        typer.echo((",\n" if place else "\n") + json.dumps(row, allow_nan=False), nl=False)
    typer.echo("\n]}")


def _show(result: SweepResult) -> None:
    from eqspike.cli.output import facts, percent, stdout, table

    console = stdout()
    runs = f"{result.runs}: {result.done} done, {result.failed} failed, {result.skipped} done before"
    console.print(facts([("runs", runs), ("time", f"{result.seconds:.1f} s"), ("folder", str(result.folder))]))
    records = list(islice(result.records(), SHOWN))
    fields = _varied(records)
    made = table("run", *fields, *(name.replace("_", " ") for name in _SHOWN_RESULTS))
    for record in records:
        results = record.get("results", {})
        shares = (percent(results.get(name)) for name in _SHOWN_RESULTS)
        made.add_row(record["id"], *(_said(record["settings"][field]) for field in fields), *shares)
    console.print(made)
    if result.runs > SHOWN:
        console.print(f"and {result.runs - SHOWN} more", style="dim")


def _varied(records: list[dict]) -> list[str]:
    """Return the fields that the runs differ in."""
    fields = records[0]["settings"] if records else ()
    return [field for field in fields if len({_said(record["settings"][field]) for record in records}) > 1]


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _tell_failures(result: SweepResult) -> None:
    if not result.failed:
        return
    failed = (f"{row['id']}: {row['error']}" for row in result.rows() if row["status"] == "failed")
    more = [f"and {result.failed - SHOWN} more"] if result.failed > SHOWN else []
    typer.echo("\n".join([f"error: {result.failed} runs failed:", *islice(failed, SHOWN), *more]), err=True)
    raise typer.Exit(1)

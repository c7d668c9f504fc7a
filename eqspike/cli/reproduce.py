"""``eqspike reproduce``: run a published claim from a checkout and compare what comes out with what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import JsonOption, ThreadsOption

if TYPE_CHECKING:
    from eqspike.claims.runner import Report
    from eqspike.cli.progress import Monitor


def reproduce(
    claim: Annotated[
        str | None, typer.Argument(metavar="CLAIM", help="A folder of experiments/; left out: list the claims.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small settings and one seed: shows that it runs, compares nothing.")
    ] = False,
    case: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Run this case only; repeatable.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Run this seed only; repeatable.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train at the same time.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Run also what is measured already.")] = False,
    write_table: Annotated[
        bool, typer.Option("--table", help="Write the claims table into experiments/README.md, and print it.")
    ] = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw the claim's figure (of the --case given, or all), replacing what is there."
        ),
    ] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a published claim, write measured.json beside its claim.toml and compare the two.

    Finished runs are kept at once: the same command goes on after them. A target that is missed is a result, exit code
    0 like one that is met; 1 means that a run failed.
    """
    if write_table:
        _write_table(as_json)
    elif claim is None:
        _list(as_json)
    else:
        options = {"cases": case, "seeds": seed, "workers": workers, "again": again, "threads": threads}
        _run(claim, as_json, figure, quick=quick, **options)


def _run(name: str, as_json: bool, figure: Path | None, *, quick: bool, **options: Any) -> None:
    from eqspike.claims.catalogue import find_claim
    from eqspike.claims.runner import run_claim
    from eqspike.claims.store import measured_file
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.recording import check_output

    folder = near(find_claim(name))
    if figure is not None:
        check_output(figure, overwrite=True)
    with Monitor() as monitor:
        document = run_claim(folder, quick=quick, on_progress=Follower(monitor), **options)
    file = str(measured_file(folder, quick))
    if figure is not None:
        chosen = options["cases"] or document["cases"]
        _draw(folder, {"cases": {name: document["cases"][name] for name in chosen}}, figure)
    if as_json:
        print_json({**document, "measured_file": file})
    else:
        _show(folder, document, file)
    failed = [
        f"{case}, seed {seed}: {run['error']}"
        for case, found in document["cases"].items()
        for seed, run in found["runs"].items()
        if run["status"] == "failed"
    ]
    if failed:
        typer.echo("\n".join(["error: runs failed:", *failed]), err=True)
        raise typer.Exit(1)


def _draw(folder: Path, document: Mapping[str, Any], figure: Path) -> None:
    from eqspike.claims.schema import read_claim
    from eqspike.plots import claims, energies

    drawn = {"errors": claims, "energies": energies}[read_claim(folder).figure]
    drawn.save(document, figure, folder.name, overwrite=True)


def near(path: Path) -> Path:
    """Return ``path`` as seen from the present folder, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class Follower:
    """Hands the reports of a claim to the progress display."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._job: tuple[str, int] | None = None

    def __call__(self, report: Report) -> None:
        """Show where the claim is."""
        said = f"{report.case}, seed {report.seed} ({report.place} of {report.places})"
        if report.training and self._job != (report.case, report.seed):
            self._job = (report.case, report.seed)
            self._monitor.stage(said)
        if report.training:
            self._monitor(report.training)
        elif report.record:
            typer.echo(f"{said}: {_outcome(report.record)}", err=True)


def _outcome(record: Mapping[str, Any]) -> str:
    if "error" in record:
        return record["error"]
    slope = record["results"].get("gradient_slope")
    return f"test accuracy {record['results']['test_accuracy']:.2%}" + (f", slope {slope:.3f}" if slope else "")


def _show(folder: Path, document: Mapping, file: str) -> None:
    from eqspike.cli.output import stdout

    console = stdout()
    if document["quick"]:
        console.print(_quick_table(document))
        console.print("A quick run shows that the claim runs; nothing is compared with a target.", style="dim")
    else:
        console.print(_table(folder, document))
    console.print(f"Every run, its counts and energies: {file}", style="dim", soft_wrap=True)


def _table(folder: Path, document: Mapping) -> Any:
    from eqspike.claims.schema import read_claim
    from eqspike.claims.table import HEAD, rows
    from eqspike.cli.output import table

    made = table(*HEAD, left=len(HEAD))
    for row in rows(read_claim(folder), {name: case["runs"] for name, case in document["cases"].items()}):
        made.add_row(*row.cells)
    return made


def _quick_table(document: Mapping) -> Any:
    from eqspike.cli.output import count, percent, table

    made = table("case", "test accuracy", "spikes per inference", "seconds")
    for name, case in document["cases"].items():
        for run in case["runs"].values():
            results = run.get("results", {})
            shown = (percent(results.get("test_accuracy")), count(results.get("spikes_per_inference")))
            made.add_row(name, *shown, f"{run.get('wall_s', 0):.1f}")
    return made


def _list(as_json: bool) -> None:
    from eqspike.claims.catalogue import claim_folders, find_experiments
    from eqspike.claims.schema import read_claim
    from eqspike.claims.store import described, measured_file, read_records
    from eqspike.cli.output import entry, print_json, stdout

    console, found = stdout(), []
    for name, folder in claim_folders(find_experiments()).items():
        claim = read_claim(folder)
        measured = described(claim, read_records(measured_file(folder, quick=False)), name, quick=False)["cases"]
        verdicts = {case.name: measured.get(case.name, {}).get("verdict", "not measured") for case in claim.cases}
        found.append({"name": name, "title": claim.title, "statement": claim.statement, "cases": verdicts})
        if not as_json:
            console.print(entry(name, [("claim", claim.title)]))
            console.print(_table(folder, {"cases": measured}))
    if as_json:
        print_json({"claims": found})
    else:
        console.print("eqspike reproduce CLAIM --quick tries one in seconds.", style="dim")


def _write_table(as_json: bool) -> None:
    from eqspike.claims.catalogue import find_experiments
    from eqspike.claims.table import claims_table, update_readme
    from eqspike.cli.output import print_json

    experiments = find_experiments()
    path = update_readme(experiments)
    if as_json:
        print_json({"file": str(path), "table": claims_table(experiments)})
    else:
        typer.echo(claims_table(experiments), nl=False)

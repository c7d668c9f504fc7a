"""``eqspike gradients``: how well rules agree with the true gradient, as a figure and as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import ForceOption, JsonOption

if TYPE_CHECKING:
    from eqspike.analysis.gradients import Agreement
    from eqspike.data import Dataset
    from eqspike.training.run import Run

_RUN_SUFFIXES = (".h5", ".hdf5")


def gradients(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Recipe (untrained weights), or a run file (its weights as they are).")
    ],
    samples: Annotated[int, typer.Option(min=1, help="Training images that make up the mini-batch.")] = 4,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME|FILE.npz", help="Instead of its own; see eqspike datasets.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Figure; by default gradients-NAME.png or the next free number, with --json none.",
        ),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare learning rules with the true gradient of an energy-based network's cost as the nudge falls.

    The network's own rule and others, in 64 bits at the exact free fixed point, against
    recurrent backpropagation, backpropagation through time and finite differences.
    """
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.cli.settings import free_path
    from eqspike.recording import check_output

    path = out if out or as_json else free_path(Path(f"gradients-{Path(name).stem}.png"))
    if path is not None:
        check_output(path, overwrite=force)
    with Monitor() as monitor:
        run, chosen = _opened(name, dataset)
        from eqspike.analysis.gradients import agreement

        found = agreement(run, chosen, samples=samples, on_progress=monitor.stage)
        if path is not None:
            monitor.stage("drawing")
            from eqspike.plots.gradients import save

            save(found, path, title=_said(run), overwrite=force)
    if as_json:
        print_json([row.to_dict() for row in found])
    else:
        _show(found, run, path)


def _opened(name: str, dataset: str | None) -> tuple[Run, Dataset]:
    """Return the run that ``name`` stands for, trained or new, and its samples or those of another data set."""
    from eqspike.analysis.gradient_rules import check_spec
    from eqspike.cli.settings import changes_from
    from eqspike.training.api import load_data, resolve
    from eqspike.training.run import check_data, new_run, open_run

    changes = changes_from((), dataset=dataset)
    if Path(name).suffix not in _RUN_SUFFIXES:
        spec = resolve(name, changes)
        check_spec(spec)
        samples = load_data(spec)
        return new_run(spec, samples), samples
    run = open_run(name)
    check_spec(run.spec)
    samples = load_data(resolve(run.spec, changes))
    if dataset is None:
        check_data(run, samples)
    return run, samples


def _said(run: Run) -> str:
    epochs = run.progress["epoch"]
    return f"{run.spec.name}, " + (f"after {epochs} epoch{'s' * (epochs != 1)}" if epochs else "untrained")


def _show(found: list[Agreement], run: Run, path: Path) -> None:
    from eqspike.cli.output import NONE, facts, stdout, table

    console = stdout()
    references = list(dict.fromkeys(row.reference for row in found))
    made = table("rule", "theory", *(name.removeprefix("finite-") for name in references), "error", "angle")
    for rows in zip(*([row for row in found if row.reference == name] for name in references), strict=True):
        first = rows[0]
        made.add_row(
            first.rule,
            NONE if first.expected_slope is None else str(first.expected_slope),
            *(NONE if row.slope is None else f"{round(row.slope, 3) + 0.0:.3f}" for row in rows),
            "not settled" if first.relative_error is None else f"{first.relative_error:.2g}",
            NONE if first.angle_degrees is None else f"{first.angle_degrees:.2g}°",
            style="bold" if first.own else "",
        )
    console.print(made)
    notes, beta = dict.fromkeys(row.reference_note for row in found), run.spec.rule.beta
    rows = [
        ("network", _said(run)),
        ("references", f"{'; '.join(notes)}; mean over {found[0].samples} samples, float64"),
        (
            "columns",
            f"slopes of log error on log beta by reference; error and angle at beta {beta:g}; bold: its own rule",
        ),
        ("figure", str(path)),
    ]
    if not all(row.settled for row in found):
        rows.insert(0, ("not settled", "some phases did not settle; they are left out, settled is false in --json"))
    console.print(facts(rows))

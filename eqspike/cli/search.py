"""``eqspike search``: settings that answer most validation samples rightly; the test set stays unseen."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import JsonOption

if TYPE_CHECKING:
    from eqspike.sweeps.search import SearchResult, Trial

_SHOWN = 10  # trials, the best first


def search(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Shipped recipe or TOML file.")],
    budget: Annotated[int, typer.Option(metavar="N", help="Trials in all, those of earlier calls included.")],
    space: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="What to change: a table [space] of fields, each {low, high, log, integer} or a list of choices; "
            "by default learning rates and nudges, from a quarter to four times the recipe's.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the search; by default searches/RECIPE.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of all trials, repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the proposals; the runs have the recipe's.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads for inference; results do not depend on it.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Search hyper-parameters on the validation set with Optuna; the test set is never looked at.

    Finished trials are kept at once: the same command goes on, and ends as if nothing had happened. eqspike collect
    makes a table of the folder. Needs eqspike[search]. With --json the document holds folder, recipe, budget, trials,
    new, best (also as --set arguments for eqspike train).
    """
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.cli.settings import changes_from
    from eqspike.sweeps.search import search as run_search
    from eqspike.training.api import resolve

    spec = resolve(recipe, changes_from(settings or ()))
    with Monitor() as monitor:
        found = run_search(
            spec, budget, space=space, out=out, seed=seed, threads=threads, on_trial=_tell, on_progress=monitor
        )
    if as_json:
        print_json(_document(found, budget))
    else:
        _show(found, recipe, settings or ())
    if found.best is None:
        typer.echo(f"error: all trials failed, the last: {found.trials[-1].error}", err=True)
        raise typer.Exit(1)


def _tell(trial: Trial) -> None:
    said = trial.error or f"validation accuracy {trial.accuracy:.2%}"
    typer.echo(f"trial {trial.number + 1}: {said}", err=True)


def _document(found: SearchResult, budget: int) -> dict[str, Any]:
    best = found.best
    return {
        "folder": str(found.folder),
        "recipe": found.recipe,
        "budget": budget,
        "new": found.new,
        "best": best and best.to_dict() | {"set": _arguments(best.settings)},
        "trials": [trial.to_dict() for trial in found.trials],
    }


def _show(found: SearchResult, recipe: str, settings: Sequence[str]) -> None:
    from eqspike.cli.output import percent, stdout, table

    made = table("trial", "settings", "validation accuracy", left=2)
    done = sorted((trial for trial in found.trials if trial.accuracy is not None), key=lambda trial: -trial.accuracy)
    for trial in done[:_SHOWN]:
        said = ", ".join(f"{name} = {_short(value)}" for name, value in trial.settings.items())
        made.add_row(str(trial.number + 1), said, percent(trial.accuracy))
    console = stdout()
    console.print(made)
    failed = len(found.trials) - len(done)
    said = f"{len(found.trials)} trials, {found.new} of them now" + (f", {failed} failed" if failed else "")
    console.print(f"{said}: {found.folder}", style="dim", soft_wrap=True)
    if found.best:
        pairs = [part for pair in (*settings, *_arguments(found.best.settings)) for part in ("--set", pair)]
        console.print(f"the best: {shlex.join(['eqspike', 'train', recipe, *pairs])}", soft_wrap=True)


def _arguments(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as --set takes them, a table by its parts."""
    from eqspike.sweeps.records import flattened

    return [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in flattened(settings)]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

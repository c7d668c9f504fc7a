"""``eqspike crosscheck``: the same network here and in Brian2, spike by spike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from eqspike.training.run import Run


def crosscheck(
    source: Annotated[
        str, typer.Argument(metavar="RECIPE|RUN", help="Recipe (untrained weights), or a run file (its weights).")
    ],
    samples: Annotated[int, typer.Option(min=1, help="Test samples to show.")] = 20,
    learning: Annotated[int, typer.Option(min=0, help="Samples of those to learn from as well.")] = 2,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of a recipe, repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a spiking network here and in Brian2, and compare spikes, rates, answers and what is learnt.

    Both compute in 64 bits, and Brian2 runs the script of eqspike export --to brian2 as it is. With --json the
    document holds samples, spikes_ours, spikes_brian2, identical_trains, worst_difference_s and more.
    """
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor

    with Monitor() as monitor:
        monitor.stage("opening")
        run, (images, labels) = opened(source, settings, samples)
        from eqspike.bridges.brian2_crosscheck import crosscheck as compare

        document = {"source": source, **compare(run, images, labels, learning=learning, on_progress=monitor.stage)}
    if as_json:
        print_json(document)
    else:
        _show(document)


def opened(source: str, settings: list[str] | None, samples: int) -> tuple[Run, tuple[Any, Any]]:
    """Return the run in a file or the untrained one of a recipe, with its first test images and labels.

    Raises
    ------
    ConfigError
        if settings are given for a run file, or there are fewer test samples.
    """
    from eqspike.cli.settings import changes_from
    from eqspike.training.api import load_data, resolve
    from eqspike.training.run import check_data, new_run, open_run

    if Path(source).suffix != ".toml" and Path(source).is_file():
        if settings:
            raise ConfigError("a run is taken as it is.", field="--set", remedy="Give a recipe to change settings of.")
        run = open_run(source)
        dataset = load_data(run.spec)
        check_data(run, dataset)
    else:
        spec = resolve(source, changes_from(settings or ()))
        dataset = load_data(spec)
        run = new_run(spec, dataset)
    if samples > len(dataset.y_test):
        raise ConfigError(
            f"there are only {len(dataset.y_test)} test samples.", field="--samples", remedy="Ask for fewer."
        )
    return run, (dataset.x_test[:samples], dataset.y_test[:samples])


def _show(document: dict[str, Any]) -> None:
    from eqspike.cli.output import facts, stdout, table

    console = stdout()
    for title, part in (("inference", document), ("learning", document.get("learning"))):
        if part is None:
            continue
        made = table(f"{title}, {part['samples']} samples", "spikes here", "in Brian2", "rate here (Hz)", "in Brian2")
        for name, layer in part["layers"].items():
            spikes = f"{layer['spikes_ours']:,}", f"{layer['spikes_brian2']:,}"
            made.add_row(name, *spikes, f"{layer['rate_ours_hz']:.6g}", f"{layer['rate_brian2_hz']:.6g}")
        console.print(made)
        console.print(facts(_said(part)))


def _said(part: dict[str, Any]) -> list[tuple[str, str]]:
    equal = "all identical" if part["identical_trains"] else f"{part['differing_trains']:,} differ"
    rows = [
        ("spike trains", f"{part['trains']:,}, {equal}; worst difference {part['worst_difference_s']:.3g} s"),
        ("answers", "identical" if part["identical_answers"] else "different"),
    ]
    for kind in ("weights", "biases"):
        for name, array in part.get(kind, {}).items():
            change = f"moved by up to {array['largest_change']:.3g}, worst difference {array['worst_difference']:.2g}"
            rows.append((f"{kind} {name}", change))
    return rows

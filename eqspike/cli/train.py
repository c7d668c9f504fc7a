"""``eqspike train``: learn, test, price, draw the STDP window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, ForceOption, JsonOption, ThreadsOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from eqspike.cli.progress import Monitor
    from eqspike.training.run import Run

DEFAULT_RECIPE = "eqspike-digits"
JSON_KEYS = (
    "With --json the document holds test_accuracy, validation_accuracy, train_accuracy, epochs, seconds_per_epoch, "
    "spikes_per_inference, synaptic_events_per_inference, macs_per_inference, spikes_per_training_sample, "
    "synaptic_events_per_training_sample, macs_per_training_sample, weight_writes_per_training_sample, "
    "accumulator_writes_per_training_sample; as {value, low, high} energy_per_inference_j, "
    "energy_per_training_sample_j, energy_per_synaptic_event_j (all parts of the energy over the events of inference)"
    " and energy_per_synaptic_event_marginal_j (one event more); chip, device, node_nm, vdd, tick_s, tick_source, "
    "energy_includes, energy_warnings, not_modelled, weakest_evidence; recipe, seed, dataset, run_file, stdp_figure. "
    "Networks that settle add unsettled_per_training_sample and unsettled_per_inference. What was not counted is null. "
    "After an error stdout stays empty."
)


def train(
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help=f"Shipped recipe or TOML file; by default {DEFAULT_RECIPE}.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME|FILE.npz", help="Instead of the recipe's; see eqspike datasets.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, repeatable; see eqspike recipes RECIPE."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Run file; by default runs/RECIPE-seedN.h5 or the next free number."),
    ] = None,
    force: ForceOption = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a stopped run, or add --epochs to a complete one.")
    ] = None,
    chip: ChipOption = DEFAULT_CHIP,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network, test it, price what it did, and draw the STDP window of a spiking one.

    The run file is written at every checkpoint: after Ctrl-C, SIGTERM (exit code 130) or a crash,
    --resume goes on from there and ends as if nothing had happened.
    """
    if resume is not None:
        _refuse_beside_resume(RECIPE=recipe, dataset=dataset, set=settings, seed=seed, out=out, force=force or None)
    from eqspike.cli import summary
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from hw_models import load_chip

    load_chip(chip)
    with Monitor() as monitor:
        if resume is not None:
            run = _resume(resume, epochs, threads, monitor)
        else:
            changes = {"pairs": settings or (), "dataset": dataset, "epochs": epochs, "seed": seed}
            run = _train(recipe or DEFAULT_RECIPE, changes, out, force, threads, monitor)
        figure = _draw(run, monitor) if run.spec.substrate == "spiking" else None
    document = summary.document(run, chip, figure)
    if as_json:
        print_json(document)
    else:
        summary.show(document)


def _train(recipe: str, changes: dict, out: Path | None, force: bool, threads: int | None, monitor: Monitor) -> Run:
    from eqspike.cli.settings import changes_from, figure_path, free_run_file
    from eqspike.recording import check_output
    from eqspike.training import api

    spec = api.resolve(recipe, changes_from(**changes))
    path = out or free_run_file(spec.name, spec.seed)
    check_output(path, overwrite=force)
    check_output(figure_path(path), overwrite=force)
    return api.train(spec, out=path, overwrite=force, threads=threads, on_progress=monitor)


def _resume(path: Path, epochs: int | None, threads: int | None, monitor: Monitor) -> Run:
    from eqspike.cli.settings import figure_path
    from eqspike.recording import check_output, read_summary
    from eqspike.training import api

    read_summary(path)
    check_output(path, overwrite=True)
    check_output(figure_path(path), overwrite=True)
    return api.resume(path, epochs=epochs, threads=threads, on_progress=monitor)


def _draw(run: Run, monitor: Monitor) -> Path:
    from eqspike.cli.settings import figure_path
    from eqspike.cli.stdp import draw_ensemble

    monitor.stage("drawing the STDP window")
    path = figure_path(run.path)
    draw_ensemble(run.spec, path)
    return path


def _refuse_beside_resume(**given: object) -> None:
    names = [name if name.isupper() else f"--{name}" for name, value in given.items() if value is not None]
    if names:
        raise ConfigError(
            f"{', '.join(names)} cannot change a run that has begun.",
            field="--resume",
            remedy="Leave it out (--epochs, --chip and --threads may stay), or train anew without --resume.",
        )
